-- What each category is judged by: the newest measures, each with its values in older versions, the oldest first.
SELECT
    m.category, m.labels, m.measure, m.kind, m.value, m.low, m.high, m.clip_count, m.least, m.most, m.state, m.needed,
    ARRAY(
        SELECT t.value
        FROM (
            SELECT o.value, o.labels
            FROM measures AS o
            WHERE
                o.category = m.category AND o.measure = m.measure AND o.kind IS NOT DISTINCT FROM m.kind
                AND o.value IS NOT NULL
            ORDER BY o.labels DESC
            LIMIT 30
        ) AS t
        ORDER BY t.labels
    ) AS trend
FROM categories AS c
CROSS JOIN LATERAL (SELECT max(n.labels) AS labels FROM measures AS n WHERE n.category = c.category) AS newest
JOIN measures AS m ON m.category = c.category AND m.labels = newest.labels
ORDER BY m.category, m.place;
