-- The categories that a person may review, and whether any of them has a clip for this person beside gold; nothing is
-- counted.
-- OFFSET 0 has each clip looked up by its key, as few are when the queue is long.
SELECT
    c.category, c.name,
    EXISTS (
        SELECT FROM live_queue AS q
        WHERE
            q.category = c.category AND q.state = 'open' AND q.taken < q.votes_wanted
            AND NOT EXISTS (
                SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category) OFFSET 0
            )
            AND NOT EXISTS (
                SELECT FROM votes AS v
                WHERE
                    v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = a.annotator
                    AND v.supersedes IS NULL
                OFFSET 0
            )
    ) AS is_open
FROM categories AS c
JOIN annotators AS a ON a.annotator = %(annotator)s::text AND a.active
WHERE c.retired_at IS NULL AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
ORDER BY 3 DESC, c.name, c.category;
