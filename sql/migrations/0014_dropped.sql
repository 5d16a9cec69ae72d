-- How many items a generation set aside, by reason: the funnel reads no manifests. NULL: unknown until reconcile.
ALTER TABLE datasets ADD COLUMN dropped jsonb;
DROP VIEW current_datasets;
CREATE VIEW current_datasets AS
SELECT DISTINCT ON (dataset, keys)
    address, generation, manifest_sha256, row_count, dataset, version, keys, retryable, made_from, settings, written_at,
    -- How the manifest of a later dataset names this generation.
    'g' || lpad(generation::text, greatest(4, length(generation::text)), '0') || ':' || manifest_sha256 AS mark,
    dropped
FROM datasets
ORDER BY dataset, keys, version DESC, generation DESC;
