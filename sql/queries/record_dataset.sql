-- Record a generation of a dataset that exists in the store; one that is recorded already stays.
INSERT INTO datasets (address, generation, manifest_sha256, row_count)
VALUES (%(address)s::text, %(generation)s::integer, %(manifest_sha256)s::text, %(row_count)s::bigint)
ON CONFLICT (address, generation) DO NOTHING;
