-- One category as a person sees it: its guideline, how much the person has answered, and how much is left, counted up to
-- a limit because a large queue is not worth the time of counting it.
-- OFFSET 0 has each clip looked up by its key, as few are when the queue is long.
SELECT
    c.category, c.name, c.guideline, c.guideline_version,
    (
        SELECT count(*) FROM votes AS v
        WHERE v.annotator = a.annotator AND v.category = c.category AND v.supersedes IS NULL
    ) AS answered,
    (
        SELECT count(*)
        FROM (
            SELECT
            FROM live_queue AS q
            WHERE
                q.category = c.category AND q.state = 'open' AND q.taken < q.votes_wanted
                AND NOT EXISTS (
                    SELECT FROM votes AS v
                    WHERE
                        v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = a.annotator
                        AND v.supersedes IS NULL
                    OFFSET 0
                )
            LIMIT %(count_most)s::integer
        ) AS available
    ) + (
        SELECT count(*) FROM leases AS l
        WHERE l.annotator = a.annotator AND l.category = c.category
    ) AS remaining
FROM categories AS c
JOIN annotators AS a ON a.annotator = %(annotator)s::text AND a.active
WHERE c.category = %(category)s::text AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups));
