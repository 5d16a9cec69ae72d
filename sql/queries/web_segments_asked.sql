-- Of each given segment: whether it was ever in this person's hands, how long its video is, and the newest version of the
-- guideline. Those of categories that are not this person's to review are left out: nothing is stored there.
SELECT
    s.segment_id, s.duration_sec, c.guideline_version AS newest_version,
    EXISTS (
        SELECT FROM segment_leases AS l WHERE l.segment_id = s.segment_id AND l.annotator = a.annotator
    )
    OR EXISTS (
        SELECT FROM segment_votes AS v
        WHERE v.segment_id = s.segment_id AND v.annotator = a.annotator AND v.supersedes IS NULL
    ) AS was_asked
FROM unnest(%(segment_ids)s::text[]) AS g (segment_id)
JOIN segments AS s USING (segment_id)
JOIN categories AS c USING (category)
JOIN annotators AS a ON a.annotator = %(annotator)s::text
WHERE c.reviewers IS NULL OR c.reviewers = ANY (a.groups);
