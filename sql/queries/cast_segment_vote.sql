-- Store an answer about a segment and its outbox row together; returns the vote's id if this call stored it. The ledger
-- itself gives the segment back and counts the answer. Stores nothing: a repeated send, a second answer to one segment,
-- an answer about a withdrawn video or by somebody who is not (or no more) one of the category's reviewers, and a
-- correction of an answer that is not this person's on this segment.
WITH me AS (
    -- Taken before any segment, as everywhere: whoever is being forgotten is not waited for with segments taken.
    SELECT groups FROM annotators WHERE annotator = %(annotator)s::text AND active FOR KEY SHARE
), allowed AS (
    SELECT s.segment_id
    FROM live_segments AS s
    JOIN categories AS c USING (category)
    CROSS JOIN me AS a
    WHERE
        s.segment_id = %(segment_id)s::text
        AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
        AND (
            %(supersedes)s::uuid IS NULL
            OR EXISTS (
                SELECT FROM segment_votes AS v
                WHERE
                    v.vote_id = %(supersedes)s::uuid AND v.annotator = %(annotator)s::text
                    AND v.segment_id = s.segment_id
            )
        )
    FOR NO KEY UPDATE OF s
), stored AS (
    INSERT INTO segment_votes
        (vote_id, segment_id, annotator, answer, start_sec, end_sec, seconds, guideline_version, supersedes)
    SELECT
        %(vote_id)s::uuid, segment_id, %(annotator)s::text, %(answer)s::text, %(start_sec)s::double precision,
        %(end_sec)s::double precision, %(seconds)s::double precision, %(guideline_version)s::integer,
        %(supersedes)s::uuid
    FROM allowed
    ON CONFLICT DO NOTHING
    RETURNING vote_id
), waiting AS (
    INSERT INTO segment_outbox (vote_id) SELECT vote_id FROM stored
)
SELECT vote_id::text FROM stored;
