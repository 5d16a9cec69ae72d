-- Hand open clips to a person: those that want more answers than were given and are in somebody's hands, oldest first.
-- Never one that the person answered, nor one of a withdrawn video. What the person holds already is handed out again.
-- Rows that another call is handing out at this moment are skipped. Two calls at once may still hand out one answer too
-- many, as each counts what was committed when it began: that costs a few seconds and loses nothing.
WITH chosen AS (
    SELECT q.clip_id, q.category
    FROM queue AS q
    WHERE
        q.state = 'open'
        AND (%(category)s::text IS NULL OR q.category = %(category)s::text)
        AND EXISTS (SELECT FROM annotators AS a WHERE a.annotator = %(annotator)s::text AND a.active)
        AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id)
        AND NOT EXISTS (
            SELECT FROM votes AS v
            WHERE v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = %(annotator)s::text
        )
        AND (
            SELECT count(*) FROM votes AS v
            WHERE
                v.clip_id = q.clip_id AND v.category = q.category
                AND NOT EXISTS (SELECT FROM votes AS later WHERE later.supersedes = v.vote_id)
        ) + (
            SELECT count(*) FROM leases AS l
            WHERE
                l.clip_id = q.clip_id AND l.category = q.category
                AND l.annotator <> %(annotator)s::text AND l.expires_at > now()
        ) < q.votes_wanted
    ORDER BY q.queued_at, q.clip_id, q.category
    LIMIT %(clips_most)s::integer
    FOR UPDATE OF q SKIP LOCKED
), leased AS (
    INSERT INTO leases (clip_id, category, annotator, expires_at)
    SELECT clip_id, category, %(annotator)s::text, now() + make_interval(secs => %(lease_sec)s::double precision)
    FROM chosen
    ON CONFLICT (clip_id, category, annotator) DO UPDATE SET expires_at = excluded.expires_at
    RETURNING clip_id, category, expires_at
)
SELECT
    q.clip_id, q.category, q.video_id, q.round, q.strategy, q.start_sec, q.end_sec, q.split, q.proxy_256,
    q.votes_wanted, q.queued_at, c.name, c.guideline, c.guideline_version, l.expires_at
FROM leased AS l
JOIN queue AS q USING (clip_id, category)
JOIN categories AS c USING (category)
ORDER BY q.queued_at, q.clip_id, q.category;
