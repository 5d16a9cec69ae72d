-- Put back a vote about a segment that the store's batch holds and the ledger lost. Its outbox row, if any, goes.
WITH gone AS (
    DELETE FROM segment_outbox WHERE vote_id = %(vote_id)s::uuid
), stored AS (
    INSERT INTO segment_votes
        (vote_id, segment_id, annotator, answer, start_sec, end_sec, seconds, guideline_version, supersedes, cast_at)
    VALUES (
        %(vote_id)s::uuid, %(segment_id)s::text, %(annotator)s::text, %(answer)s::text,
        %(start_sec)s::double precision, %(end_sec)s::double precision, %(seconds)s::double precision,
        %(guideline_version)s::integer, %(supersedes)s::uuid, %(cast_at)s::timestamptz
    )
    ON CONFLICT (vote_id) DO NOTHING
)
INSERT INTO segment_batch_votes (vote_id, batch) VALUES (%(vote_id)s::uuid, %(batch)s::integer)
ON CONFLICT (vote_id) DO NOTHING;
