-- Store an answer and its outbox row together; returns the vote's id if this call stored it. The ledger itself gives the
-- clip back and counts the answer. Stores nothing: a repeated send, a second answer to one clip, an answer about a
-- withdrawn clip or video or by somebody who is not (or no more) one of the category's reviewers, and a correction of an
-- answer that is not this person's on this clip or after which the person was shown known answers.
WITH me AS (
    -- Taken before any clip, as everywhere: whoever is being forgotten is not waited for with clips taken.
    SELECT groups FROM annotators WHERE annotator = %(annotator)s::text AND active FOR KEY SHARE
), allowed AS (
    SELECT q.clip_id, q.category
    FROM live_queue AS q
    JOIN categories AS c USING (category)
    CROSS JOIN me AS a
    WHERE
        q.clip_id = %(clip_id)s::text AND q.category = %(category)s::text AND q.state <> 'withdrawn'
        AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
        AND (
            %(supersedes)s::uuid IS NULL
            OR EXISTS (
                SELECT FROM votes AS v
                WHERE
                    v.vote_id = %(supersedes)s::uuid AND v.annotator = %(annotator)s::text
                    AND v.clip_id = q.clip_id AND v.category = q.category
                    AND NOT EXISTS (
                        SELECT FROM feedbacks AS f
                        WHERE f.annotator = v.annotator AND f.category = v.category AND f.shown_at >= v.cast_at
                    )
            )
        )
    FOR NO KEY UPDATE OF q
), stored AS (
    -- The moment at which this call had the person: what is told to the person meanwhile is of the answers before it.
    INSERT INTO votes
        (vote_id, clip_id, category, annotator, answer, seconds, guideline_version, supersedes, set_id, cast_at)
    SELECT
        %(vote_id)s::uuid, clip_id, category, %(annotator)s::text, %(answer)s::text, %(seconds)s::double precision,
        %(guideline_version)s::integer, %(supersedes)s::uuid, %(set_id)s::uuid,
        clock_timestamp()
    FROM allowed
    ON CONFLICT DO NOTHING
    RETURNING vote_id
), waiting AS (
    INSERT INTO outbox (vote_id) SELECT vote_id FROM stored
)
SELECT vote_id::text FROM stored;
