-- The measures of one category at the newest versions of the labels at which it was measured, the oldest first.
SELECT
    m.category, m.labels, coalesce((v.judged_at AT TIME ZONE 'UTC')::date::text, '') AS day, m.place, m.measure, m.kind,
    m.value, m.low, m.high, m.clip_count, m.least, m.most
FROM (
    SELECT DISTINCT n.labels FROM measures AS n WHERE n.category = %(category)s::text
    ORDER BY n.labels DESC LIMIT %(most)s::integer
) AS newest
JOIN measures AS m ON m.category = %(category)s::text AND m.labels = newest.labels
LEFT JOIN verdicts AS v ON v.category = m.category AND v.labels = m.labels
ORDER BY m.labels, m.place;
