-- Put back a vote that the store's batch holds and the ledger lost. Its outbox row, if any, goes: it is synced already.
WITH gone AS (
    DELETE FROM outbox WHERE vote_id = %(vote_id)s::uuid
), stored AS (
    INSERT INTO votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version, supersedes, cast_at, set_id)
    VALUES (
        %(vote_id)s::uuid, %(clip_id)s::text, %(category)s::text, %(annotator)s::text, %(answer)s::text,
        %(seconds)s::double precision, %(guideline_version)s::integer, %(supersedes)s::uuid,
        %(cast_at)s::timestamptz, %(set_id)s::uuid
    )
    ON CONFLICT (vote_id) DO NOTHING
)
INSERT INTO batch_votes (vote_id, batch) VALUES (%(vote_id)s::uuid, %(batch)s::integer)
ON CONFLICT (vote_id) DO NOTHING;
