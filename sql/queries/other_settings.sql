-- Partitions of a dataset that were made with another value of a section, or of one setting in it; of one window only,
-- where a window is given.
SELECT keys ->> 'category' AS category, keys ->> 'window' AS "window"
FROM current_datasets
WHERE
    dataset = %(dataset)s::text AND settings #> %(path)s::text[] <> %(value)s::jsonb
    AND (%(window)s::text IS NULL OR keys ->> 'window' = %(window)s::text)
ORDER BY category, "window";
