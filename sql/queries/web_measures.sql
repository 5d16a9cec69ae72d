-- What each category, or one, is judged by: the newest measures, each with its values in the last 30 versions at which
-- the category was measured, the oldest first.
WITH newest AS (
    SELECT c.category, (SELECT max(n.labels) FROM measures AS n WHERE n.category = c.category) AS labels
    FROM categories AS c
    WHERE %(category)s::text IS NULL OR c.category = %(category)s::text
), versions AS (
    SELECT c.category, v.labels
    FROM newest AS c
    CROSS JOIN LATERAL (
        SELECT DISTINCT n.labels FROM measures AS n WHERE n.category = c.category ORDER BY n.labels DESC LIMIT 30
    ) AS v
), trends AS (
    SELECT o.category, o.measure, o.kind, array_agg(o.value ORDER BY o.labels) AS trend
    FROM versions AS v
    JOIN measures AS o USING (category, labels)
    WHERE o.value IS NOT NULL
    GROUP BY o.category, o.measure, o.kind
)
SELECT
    m.category, m.labels, m.measure, m.kind, m.value, m.low, m.high, m.clip_count, m.least, m.most, m.state, m.needed,
    coalesce(t.trend, '{}') AS trend
FROM newest
JOIN measures AS m USING (category, labels)
LEFT JOIN trends AS t
    ON t.category = m.category AND t.measure = m.measure AND t.kind IS NOT DISTINCT FROM m.kind
ORDER BY m.category, m.place;
