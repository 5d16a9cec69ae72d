-- The current generation of every partition of a dataset, in the versions that readers accept; of one window only, where
-- a window is given.
SELECT address, generation, row_count, keys, mark
FROM current_datasets
WHERE
    dataset = %(dataset)s::text AND version = ANY(%(versions)s::integer[])
    AND (%(window)s::text IS NULL OR keys ->> 'window' = %(window)s::text)
ORDER BY address;
