-- One category as a person sees it: its guideline, how much the person has answered, and how much is left, counted up to
-- a limit because a large queue is not worth the time of counting it.
-- What is left says nothing of gold: it stays when a clip is handed out and falls by one with each answer, whatever the
-- clip is. Gold alone is not left: it is never handed out alone.
-- OFFSET 0 has each clip looked up by its key, as few are when the queue is long.
WITH me AS (
    SELECT a.annotator, c.*
    FROM categories AS c
    JOIN annotators AS a ON a.annotator = %(annotator)s::text AND a.active
    WHERE c.category = %(category)s::text AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
), hands AS (
    SELECT l.clip_id
    FROM me
    JOIN leases AS l USING (annotator, category)
    JOIN live_queue AS q USING (clip_id, category)
    WHERE q.state <> 'withdrawn'
    UNION
    SELECT p.clip_id
    FROM me
    JOIN lapsed_leases AS p USING (annotator, category)
    JOIN live_queue AS q USING (clip_id, category)
    WHERE q.state <> 'withdrawn'
), available AS (
    SELECT
    FROM me
    JOIN live_queue AS q USING (category)
    WHERE
        q.state = 'open' AND q.taken < q.votes_wanted
        AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category) OFFSET 0)
        AND NOT EXISTS (
            SELECT FROM votes AS v
            WHERE
                v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = me.annotator
                AND v.supersedes IS NULL
            OFFSET 0
        )
        AND q.clip_id NOT IN (SELECT clip_id FROM hands)
    LIMIT %(count_most)s::integer
), gold AS (
    SELECT
    FROM me
    JOIN known_answers AS k USING (category)
    JOIN live_queue AS q USING (clip_id, category)
    WHERE
        k.purpose = 'gold' AND q.state <> 'withdrawn'
        AND NOT EXISTS (
            SELECT FROM votes AS v
            WHERE
                v.clip_id = k.clip_id AND v.category = k.category AND v.annotator = me.annotator
                AND v.supersedes IS NULL
            OFFSET 0
        )
        AND k.clip_id NOT IN (SELECT clip_id FROM hands)
)
SELECT
    category, name, guideline, guideline_version,
    (
        SELECT count(*) FROM votes AS v
        WHERE v.annotator = me.annotator AND v.category = me.category AND v.supersedes IS NULL
    ) AS answered,
    least(
        %(count_most)s::integer,
        (SELECT count(*) FROM hands)
        + CASE WHEN EXISTS (SELECT FROM available)
            THEN (SELECT count(*) FROM available) + (SELECT count(*) FROM gold)
            ELSE 0
        END
    ) AS remaining
FROM me;
