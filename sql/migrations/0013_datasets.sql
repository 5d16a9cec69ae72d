-- What exists in the store, with all that the plans ask: they read no manifests. Of a generation that was recorded
-- before, the rest is unknown until `slac doctor --reconcile` reads its manifest.
ALTER TABLE datasets
    ADD COLUMN dataset text,
    ADD COLUMN version integer,
    ADD COLUMN keys jsonb,
    ADD COLUMN retryable bigint,
    ADD COLUMN made_from jsonb,
    ADD COLUMN settings jsonb,
    ADD COLUMN written_at timestamptz;
-- An address is <dataset>/v<version>/<key>=<value>/...
UPDATE datasets SET
    dataset = split_part(address, '/', 1),
    version = substr(split_part(address, '/', 2), 2)::integer,
    keys = coalesce(
        (
            SELECT jsonb_object_agg(split_part(k.pair, '=', 1), substr(k.pair, strpos(k.pair, '=') + 1))
            FROM unnest((string_to_array(address, '/'))[3:]) AS k (pair)
        ),
        '{}'
    );
ALTER TABLE datasets
    ALTER COLUMN dataset SET NOT NULL,
    ALTER COLUMN version SET NOT NULL,
    ALTER COLUMN keys SET NOT NULL;
CREATE INDEX datasets_current ON datasets (dataset, keys, version DESC, generation DESC);
CREATE INDEX datasets_unknown ON datasets (address) WHERE written_at IS NULL;

-- What readers see: of every partition the newest version, and of that the newest generation.
CREATE VIEW current_datasets AS
SELECT DISTINCT ON (dataset, keys)
    address, generation, manifest_sha256, row_count, dataset, version, keys, retryable, made_from, settings, written_at,
    -- How the manifest of a later dataset names this generation.
    'g' || lpad(generation::text, greatest(4, length(generation::text)), '0') || ':' || manifest_sha256 AS mark
FROM datasets
ORDER BY dataset, keys, version DESC, generation DESC;
