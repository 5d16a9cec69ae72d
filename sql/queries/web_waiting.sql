-- How many clips and segments a person has answered that wait for somebody else, of those that are looked at: so many, at
-- most, that can be handed out. Where nothing is left for the person all of these wait for somebody else.
WITH mine AS (
    SELECT c.category, a.annotator
    FROM categories AS c
    JOIN annotators AS a ON a.annotator = %(annotator)s::text AND a.active
    WHERE c.retired_at IS NULL AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
), clips AS (
    SELECT q.clip_id, m.category, m.annotator
    FROM mine AS m
    CROSS JOIN LATERAL (
        SELECT q.clip_id
        FROM live_queue AS q
        WHERE
            q.category = m.category AND q.state = 'open' AND q.taken < q.votes_wanted
            AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category) OFFSET 0)
        LIMIT %(count_most)s::integer
    ) AS q
    LIMIT %(count_most)s::integer
), cuts AS (
    SELECT s.segment_id, m.annotator
    FROM mine AS m
    CROSS JOIN LATERAL (
        SELECT s.segment_id
        FROM live_segments AS s
        WHERE
            s.category = m.category AND s.state = 'open' AND s.taken < s.votes_wanted
            AND NOT EXISTS (SELECT FROM gold_segments AS g WHERE g.segment_id = s.segment_id OFFSET 0)
        LIMIT %(count_most)s::integer
    ) AS s
    LIMIT %(count_most)s::integer
)
SELECT
    (
        SELECT count(*) FROM clips AS w
        WHERE EXISTS (
            SELECT FROM votes AS v
            WHERE (v.clip_id, v.category, v.annotator) = (w.clip_id, w.category, w.annotator) AND v.supersedes IS NULL
        )
    ) AS clips,
    (
        SELECT count(*) FROM cuts AS w
        WHERE EXISTS (
            SELECT FROM segment_votes AS v
            WHERE (v.segment_id, v.annotator) = (w.segment_id, w.annotator) AND v.supersedes IS NULL
        )
    ) AS segments;
