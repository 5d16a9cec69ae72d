-- Store an answer and its outbox row together, and give the clip back; returns the vote's id if this call stored it.
-- A repeated send stores nothing. Nor does an answer about a withdrawn clip or video, nor a correction of an answer that
-- is not this person's on this clip.
WITH allowed AS (
    SELECT q.clip_id, q.category
    FROM queue AS q
    WHERE
        q.clip_id = %(clip_id)s::text AND q.category = %(category)s::text AND q.state <> 'withdrawn'
        AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id)
        AND (
            %(supersedes)s::uuid IS NULL
            OR EXISTS (
                SELECT FROM votes AS v
                WHERE
                    v.vote_id = %(supersedes)s::uuid AND v.annotator = %(annotator)s::text
                    AND v.clip_id = q.clip_id AND v.category = q.category
            )
        )
    FOR SHARE OF q
), stored AS (
    INSERT INTO votes (vote_id, clip_id, category, annotator, answer, seconds, guideline_version, supersedes)
    SELECT
        %(vote_id)s::uuid, clip_id, category, %(annotator)s::text, %(answer)s::text, %(seconds)s::double precision,
        %(guideline_version)s::integer, %(supersedes)s::uuid
    FROM allowed
    ON CONFLICT (vote_id) DO NOTHING
    RETURNING vote_id
), waiting AS (
    INSERT INTO outbox (vote_id) SELECT vote_id FROM stored
), returned AS (
    DELETE FROM leases
    WHERE
        clip_id = %(clip_id)s::text AND category = %(category)s::text AND annotator = %(annotator)s::text
        AND EXISTS (SELECT FROM stored)
)
SELECT vote_id::text FROM stored;
