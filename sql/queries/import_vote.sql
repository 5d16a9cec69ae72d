-- Store an answer that was given elsewhere, at the time it was given, and its outbox row; returns its id if this call
-- stored it. It supersedes the same person's last answer to the clip. Stores nothing: an answer that is known, one older
-- than the person's last, and one about a clip, video or by a person that answers are not taken of.
WITH allowed AS (
    SELECT q.clip_id, q.category, c.guideline_version
    FROM live_queue AS q
    JOIN categories AS c USING (category)
    JOIN annotators AS a ON a.annotator = %(annotator)s::text
    WHERE
        q.clip_id = %(clip_id)s::text AND q.category = %(category)s::text AND q.state <> 'withdrawn'
        AND a.active AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
    FOR NO KEY UPDATE OF q
), last AS (
    SELECT v.vote_id, v.cast_at
    FROM votes AS v
    JOIN allowed USING (clip_id, category)
    WHERE v.annotator = %(annotator)s::text AND NOT EXISTS (SELECT FROM votes AS n WHERE n.supersedes = v.vote_id)
), stored AS (
    INSERT INTO votes
        (vote_id, clip_id, category, annotator, answer, seconds, guideline_version, supersedes, cast_at)
    SELECT
        %(vote_id)s::uuid, a.clip_id, a.category, %(annotator)s::text, %(answer)s::text,
        %(seconds)s::double precision, a.guideline_version, (SELECT vote_id FROM last), %(cast_at)s::timestamptz
    FROM allowed AS a
    WHERE NOT EXISTS (SELECT FROM last WHERE last.cast_at > %(cast_at)s::timestamptz)
    ON CONFLICT DO NOTHING
    RETURNING vote_id
), waiting AS (
    INSERT INTO outbox (vote_id) SELECT vote_id FROM stored
)
SELECT vote_id::text FROM stored;
