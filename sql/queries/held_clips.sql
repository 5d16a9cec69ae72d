-- The clips of a category that are in this person's hands, for a page that is opened again; they are held on from now.
-- In a random order: the order in which they were handed out would say which came as gold. A page that is opened again
-- also sends the answers that it kept: both take the clips in one order, so that they do not wait for each other.
WITH mine AS (
    SELECT l.clip_id, l.category, l.annotator, q.start_sec, q.end_sec, q.proxy_256
    FROM leases AS l
    JOIN live_queue AS q USING (clip_id, category)
    JOIN annotators AS a USING (annotator)
    JOIN categories AS c USING (category)
    WHERE
        l.annotator = %(annotator)s::text AND l.category = %(category)s::text
        AND a.active AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups)) AND q.state <> 'withdrawn'
    ORDER BY l.clip_id COLLATE "C"
    FOR NO KEY UPDATE OF l
), held AS (
    UPDATE leases AS l
    SET expires_at = now() + make_interval(secs => %(lease_sec)s::double precision)
    FROM mine
    WHERE (l.clip_id, l.category, l.annotator) = (mine.clip_id, mine.category, mine.annotator)
    RETURNING l.clip_id, l.category, mine.start_sec, mine.end_sec, mine.proxy_256, l.set_id::text
)
SELECT * FROM held ORDER BY random();
