-- The categories that a person may review, and whether any of them has a segment for this person beside gold; nothing is
-- counted.
-- OFFSET 0 has each segment looked up by its key, as few are when the queue is long.
SELECT
    c.category, c.name,
    EXISTS (
        SELECT FROM live_segments AS s
        WHERE
            s.category = c.category AND s.state = 'open' AND s.taken < s.votes_wanted
            AND NOT EXISTS (SELECT FROM gold_segments AS g WHERE g.segment_id = s.segment_id OFFSET 0)
            AND NOT EXISTS (
                SELECT FROM segment_votes AS v
                WHERE v.segment_id = s.segment_id AND v.annotator = a.annotator AND v.supersedes IS NULL
                OFFSET 0
            )
    ) AS is_open
FROM categories AS c
JOIN annotators AS a ON a.annotator = %(annotator)s::text AND a.active
WHERE c.retired_at IS NULL AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
ORDER BY 3 DESC, c.name, c.category;
