-- Whether an input was made again with other rows: the mark names a generation, the contents its rows. NULL: unknown
-- until `slac doctor --reconcile` reads the manifest.
ALTER TABLE datasets
    ADD COLUMN contents text,
    ADD COLUMN mark text NOT NULL GENERATED ALWAYS AS (
        'g' || lpad(generation::text, greatest(4, length(generation::text)), '0') || ':' || manifest_sha256
    ) STORED;
DROP INDEX datasets_unknown;
CREATE INDEX datasets_unknown ON datasets (address) WHERE contents IS NULL;
DROP VIEW current_datasets;
CREATE VIEW current_datasets AS
SELECT DISTINCT ON (dataset, keys)
    address, generation, manifest_sha256, row_count, dataset, version, keys, retryable, made_from, settings, written_at,
    dropped, contents, mark
FROM datasets
ORDER BY dataset, keys, version DESC, generation DESC;
