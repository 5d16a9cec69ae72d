-- Of each given clip: whether it was ever in this person's hands, and the newest version of the guideline. Categories that
-- are not this person's to review are left out: nothing is stored there. `set_ids`: the sets in which this person was
-- handed it, or answered it.
SELECT
    g.clip_id, g.category, c.guideline_version AS newest_version,
    EXISTS (
        SELECT FROM leases AS l
        WHERE l.clip_id = g.clip_id AND l.category = g.category AND l.annotator = a.annotator
    )
    OR EXISTS (
        SELECT FROM lapsed_leases AS p
        WHERE p.annotator = a.annotator AND p.category = g.category AND p.clip_id = g.clip_id
    )
    OR EXISTS (
        SELECT FROM votes AS v
        WHERE
            v.clip_id = g.clip_id AND v.category = g.category AND v.annotator = a.annotator
            AND v.supersedes IS NULL
    ) AS was_asked,
    ARRAY(
        SELECT l.set_id::text FROM leases AS l
        WHERE l.clip_id = g.clip_id AND l.category = g.category AND l.annotator = a.annotator
        UNION
        SELECT p.set_id::text FROM lapsed_leases AS p
        WHERE p.annotator = a.annotator AND p.category = g.category AND p.clip_id = g.clip_id
        UNION
        SELECT v.set_id::text FROM votes AS v
        WHERE v.annotator = a.annotator AND v.category = g.category AND v.clip_id = g.clip_id
    ) AS set_ids
FROM unnest(%(clip_ids)s::text[], %(categories)s::text[]) AS g (clip_id, category)
JOIN categories AS c USING (category)
JOIN annotators AS a ON a.annotator = %(annotator)s::text
WHERE c.reviewers IS NULL OR c.reviewers = ANY (a.groups);
