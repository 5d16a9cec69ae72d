-- The clips of a category that are in this person's hands, for a page that is opened again; they are held on from now.
-- In a random order: the order in which they were handed out would say which came as gold.
WITH held AS (
    UPDATE leases AS l
    SET expires_at = now() + make_interval(secs => %(lease_sec)s::double precision)
    FROM live_queue AS q, annotators AS a, categories AS c
    WHERE
        l.annotator = %(annotator)s::text AND l.category = %(category)s::text
        AND a.annotator = l.annotator AND a.active
        AND c.category = l.category AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
        AND (q.clip_id, q.category) = (l.clip_id, l.category) AND q.state <> 'withdrawn'
    RETURNING q.clip_id, q.category, q.start_sec, q.end_sec, q.proxy_256, l.set_id::text
)
SELECT * FROM held ORDER BY random();
