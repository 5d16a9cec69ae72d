-- The object of a segment that is or was in this person's hands, or that this person has answered.
SELECT s.proxy_256
FROM live_segments AS s
WHERE
    s.segment_id = %(segment_id)s::text
    AND (
        EXISTS (
            SELECT FROM segment_leases AS l
            WHERE l.segment_id = s.segment_id AND l.annotator = %(annotator)s::text
        )
        OR EXISTS (
            SELECT FROM segment_votes AS v
            WHERE v.segment_id = s.segment_id AND v.annotator = %(annotator)s::text AND v.supersedes IS NULL
        )
    );
