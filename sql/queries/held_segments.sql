-- The segments of a category that are in this person's hands, for a page that is opened again; they are held on from
-- now. In a random order: the order in which they were handed out would say which came as gold. A page that is opened
-- again also sends the answers that it kept: both take the segments in one order, so that they do not wait for each other.
WITH mine AS (
    SELECT
        l.segment_id, l.annotator, s.category, s.start_sec, s.end_sec, s.duration_sec, s.fps, s.proxy_256
    FROM segment_leases AS l
    JOIN live_segments AS s USING (segment_id)
    JOIN annotators AS a USING (annotator)
    JOIN categories AS c USING (category)
    WHERE
        l.annotator = %(annotator)s::text AND NOT l.lapsed AND s.category = %(category)s::text
        AND a.active AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
    ORDER BY l.segment_id COLLATE "C"
    FOR NO KEY UPDATE OF l
), held AS (
    UPDATE segment_leases AS l
    SET expires_at = now() + make_interval(secs => %(lease_sec)s::double precision)
    FROM mine
    WHERE (l.segment_id, l.annotator) = (mine.segment_id, mine.annotator)
    RETURNING
        l.segment_id, mine.category, mine.start_sec, mine.end_sec, mine.duration_sec, mine.fps, mine.proxy_256
)
SELECT * FROM held ORDER BY random();
