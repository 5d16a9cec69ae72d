-- The segments of a category that are in this person's hands, for a page that is opened again; they are held on from
-- now. In a random order: the order in which they were handed out would say which came as gold.
WITH held AS (
    UPDATE segment_leases AS l
    SET expires_at = now() + make_interval(secs => %(lease_sec)s::double precision)
    FROM live_segments AS s, annotators AS a, categories AS c
    WHERE
        l.annotator = %(annotator)s::text AND NOT l.lapsed
        AND s.segment_id = l.segment_id AND s.category = %(category)s::text
        AND a.annotator = l.annotator AND a.active
        AND c.category = s.category AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
    RETURNING s.segment_id, s.category, s.start_sec, s.end_sec, s.duration_sec, s.fps, s.proxy_256
)
SELECT * FROM held ORDER BY random();
