-- The current generation of every partition of a dataset; of one window only, where a window is given.
SELECT
    address, generation, manifest_sha256, row_count, dataset, version, keys, retryable, made_from, settings, written_at,
    mark
FROM current_datasets
WHERE dataset = %(dataset)s::text AND (%(window)s::text IS NULL OR keys ->> 'window' = %(window)s::text)
ORDER BY address;
