-- Hand a person the segments again that were in the person's hands and were swept unanswered: gold or not, and whoever
-- has answered them meanwhile. If only some came back, those that do would say what they are.
WITH me AS (
    -- Taken before any segment, as everywhere: whoever is being forgotten is not waited for with segments taken.
    SELECT annotator, groups FROM annotators WHERE annotator = %(annotator)s::text AND active FOR KEY SHARE
), back AS (
    SELECT l.segment_id
    FROM segment_leases AS l
    JOIN live_segments AS s USING (segment_id)
    JOIN me AS a USING (annotator)
    JOIN categories AS c ON c.category = s.category
    WHERE
        l.annotator = %(annotator)s::text AND l.lapsed AND s.category = %(category)s::text
        AND c.retired_at IS NULL AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
    ORDER BY random()
    LIMIT %(segments_most)s::integer
    FOR NO KEY UPDATE OF s SKIP LOCKED
), leased AS (
    UPDATE segment_leases AS l
    SET lapsed = false, expires_at = now() + make_interval(secs => %(lease_sec)s::double precision)
    FROM back
    WHERE l.annotator = %(annotator)s::text AND l.segment_id = back.segment_id AND l.lapsed
    RETURNING l.segment_id
), counted AS (
    UPDATE segments AS s SET taken = s.taken + 1 FROM leased AS l WHERE s.segment_id = l.segment_id
)
SELECT s.segment_id, s.category, s.start_sec, s.end_sec, s.duration_sec, s.fps, s.proxy_256
FROM leased AS l
JOIN segments AS s USING (segment_id)
ORDER BY random();
