-- Store an answer that was given elsewhere, at the time it was given, with its outbox row and its origin. It supersedes
-- the same person's last answer to the clip. Returns its id if this call stored it, else why it is no vote: a clip that is
-- not asked or was withdrawn, a person whose answers are not taken, or one older than the person's last. No id and no
-- reason: another call stored one of this person at the same moment.
WITH me AS (
    -- Taken before any clip, as everywhere: whoever is being forgotten is not waited for with clips taken.
    SELECT active, groups FROM annotators WHERE annotator = %(annotator)s::text FOR KEY SHARE
), asked AS (
    SELECT
        q.clip_id, q.category, c.guideline_version, a.active,
        c.reviewers IS NULL OR c.reviewers = ANY (a.groups) AS admitted,
        q.state = 'withdrawn' OR NOT EXISTS (
            SELECT FROM live_queue AS l WHERE l.clip_id = q.clip_id AND l.category = q.category
        ) AS withdrawn
    FROM queue AS q
    JOIN categories AS c USING (category)
    CROSS JOIN me AS a
    WHERE q.clip_id = %(clip_id)s::text AND q.category = %(category)s::text
    FOR NO KEY UPDATE OF q
), last AS (
    SELECT v.vote_id, v.cast_at
    FROM votes AS v
    JOIN asked USING (clip_id, category)
    WHERE v.annotator = %(annotator)s::text AND NOT EXISTS (SELECT FROM votes AS n WHERE n.supersedes = v.vote_id)
), refused AS (
    SELECT CASE
        WHEN NOT EXISTS (SELECT FROM asked) THEN 'not asked'
        WHEN (SELECT withdrawn FROM asked) THEN 'withdrawn'
        WHEN NOT (SELECT active FROM asked) THEN 'closed account'
        WHEN NOT (SELECT admitted FROM asked) THEN 'not a reviewer'
        WHEN EXISTS (SELECT FROM last WHERE last.cast_at > %(cast_at)s::timestamptz) THEN 'older'
    END AS reason
), stored AS (
    INSERT INTO votes
        (vote_id, clip_id, category, annotator, answer, seconds, guideline_version, supersedes, cast_at)
    SELECT
        %(vote_id)s::uuid, a.clip_id, a.category, %(annotator)s::text, %(answer)s::text,
        %(seconds)s::double precision, a.guideline_version, (SELECT vote_id FROM last), %(cast_at)s::timestamptz
    FROM asked AS a
    CROSS JOIN refused
    WHERE refused.reason IS NULL
    ON CONFLICT DO NOTHING
    RETURNING vote_id
), waiting AS (
    INSERT INTO outbox (vote_id) SELECT vote_id FROM stored
), origin AS (
    INSERT INTO vote_origins (vote_id, source, item) SELECT vote_id, %(source)s::text, %(item)s::text FROM stored
)
SELECT (SELECT vote_id::text FROM stored) AS vote_id, reason FROM refused;
