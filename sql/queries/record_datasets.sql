-- Record generations that exist in the store; return those that are recorded already with another manifest.
-- What is known of a generation stays; what is unknown is filled in.
WITH given AS (
    SELECT *
    FROM unnest(
        %(address)s::text[], %(generation)s::integer[], %(manifest_sha256)s::text[], %(row_count)s::bigint[],
        %(dataset)s::text[], %(version)s::integer[], %(keys)s::jsonb[], %(retryable)s::bigint[], %(made_from)s::jsonb[],
        %(settings)s::jsonb[], %(written_at)s::timestamptz[], %(dropped)s::jsonb[], %(contents)s::text[]
    ) AS g (
        address, generation, manifest_sha256, row_count, dataset, version, keys, retryable, made_from, settings,
        written_at, dropped, contents
    )
),

written AS (
    INSERT INTO datasets AS known (
        address, generation, manifest_sha256, row_count, dataset, version, keys, retryable, made_from, settings,
        written_at, dropped, contents
    )
    SELECT
        address, generation, manifest_sha256, row_count, dataset, version, keys, retryable, made_from, settings,
        written_at, dropped, contents
    FROM given
    ON CONFLICT (address, generation) DO UPDATE SET
        retryable = excluded.retryable,
        made_from = excluded.made_from,
        settings = excluded.settings,
        written_at = excluded.written_at,
        dropped = excluded.dropped,
        contents = excluded.contents
    WHERE known.contents IS NULL AND known.manifest_sha256 = excluded.manifest_sha256
)

SELECT known.address, known.generation, known.manifest_sha256
FROM datasets AS known
INNER JOIN given ON given.address = known.address AND given.generation = known.generation
WHERE given.manifest_sha256 <> known.manifest_sha256
ORDER BY known.address, known.generation;
