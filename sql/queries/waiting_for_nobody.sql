-- Categories in which clips or segments wait for a person who is not there: everybody who may review the category has
-- answered them, and nobody answers twice. No clip wants more than 99 answers (the settings' bound), so where a hundred
-- people may answer nothing is looked at. Each answer has taken a place: what has fewer taken than there are people is
-- passed over in the index.
WITH few AS (
    SELECT c.category, c.reviewers, array_remove(array_agg(a.annotator), NULL) AS people
    FROM categories AS c
    LEFT JOIN annotators AS a ON a.active AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
    WHERE c.retired_at IS NULL
    GROUP BY c.category
    HAVING count(a.annotator) < 99
), waiting AS (
    SELECT f.category, 'clips' AS what
    FROM few AS f
    CROSS JOIN LATERAL (
        SELECT q.clip_id, q.category
        FROM live_queue AS q
        WHERE
            q.category = f.category AND q.state = 'open' AND q.taken < q.votes_wanted
            AND q.taken >= cardinality(f.people)
        OFFSET 0
    ) AS q
    WHERE
        NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
        AND cardinality(f.people) = (
            SELECT count(*) FROM votes AS v
            WHERE
                v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = ANY (f.people)
                AND v.supersedes IS NULL
        )
    UNION ALL
    SELECT f.category, 'segments'
    FROM few AS f
    CROSS JOIN LATERAL (
        SELECT s.segment_id
        FROM live_segments AS s
        WHERE
            s.category = f.category AND s.state = 'open' AND s.taken < s.votes_wanted
            AND s.taken >= cardinality(f.people)
        OFFSET 0
    ) AS s
    WHERE
        NOT EXISTS (SELECT FROM gold_segments AS g WHERE g.segment_id = s.segment_id)
        AND cardinality(f.people) = (
            SELECT count(*) FROM segment_votes AS v
            WHERE v.segment_id = s.segment_id AND v.annotator = ANY (f.people) AND v.supersedes IS NULL
        )
)
SELECT f.category, f.reviewers, cardinality(f.people) AS people, w.what, count(*) AS waiting
FROM waiting AS w
JOIN few AS f USING (category)
GROUP BY f.category, f.reviewers, f.people, w.what
ORDER BY f.category, w.what;
