-- What people's time gave: labels by category and kind with their certificate, beside the answers and seconds of the
-- category; all categories together (NULL) come first.
WITH costs AS (
    SELECT
        category, sum(answers)::bigint AS answers, sum(seconds) AS seconds, sum(twice)::bigint AS twice,
        sum(differ)::bigint AS differ
    FROM label_costs GROUP BY ROLLUP (category)
)
SELECT
    k.category, coalesce(c.name, 'All categories') AS name, k.kind, k.labels, k.label_count, k.certified, k.threshold,
    k.bound, k.wanted, k.level, k.answers_needed, k.gold_needed,
    coalesce(o.answers, 0) AS answers, coalesce(o.seconds, 0) AS seconds, coalesce(o.twice, 0) AS twice,
    coalesce(o.differ, 0) AS differ
FROM label_kinds AS k
LEFT JOIN categories AS c USING (category)
LEFT JOIN costs AS o ON o.category IS NOT DISTINCT FROM k.category
ORDER BY
    k.category IS NOT NULL, c.name, k.category, CASE k.kind WHEN 'people' THEN 0 WHEN 'sets' THEN 1 WHEN 'carried' THEN 2 WHEN 'model' THEN 3 ELSE 4 END;
