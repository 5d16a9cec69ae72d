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
    SELECT held.clip_id
    FROM (
        SELECT l.clip_id FROM leases AS l
        WHERE l.annotator = %(annotator)s::text AND l.category = %(category)s::text
        UNION
        SELECT p.clip_id FROM lapsed_leases AS p
        WHERE p.annotator = %(annotator)s::text AND p.category = %(category)s::text
    ) AS held
    JOIN live_queue AS q ON q.clip_id = held.clip_id AND q.category = %(category)s::text
    WHERE q.state <> 'withdrawn'
), available AS (
    SELECT
    FROM live_queue AS q
    WHERE
        q.category = %(category)s::text AND q.state = 'open' AND q.taken < q.votes_wanted
        AND EXISTS (SELECT FROM me WHERE me.retired_at IS NULL)
        AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category) OFFSET 0)
        AND NOT EXISTS (
            SELECT FROM votes AS v
            WHERE
                v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = %(annotator)s::text
                AND v.supersedes IS NULL
            OFFSET 0
        )
        AND q.clip_id NOT IN (SELECT clip_id FROM hands)
    LIMIT %(count_most)s::integer
), gold AS (
    SELECT
    FROM known_answers AS k
    JOIN live_queue AS q USING (clip_id, category)
    WHERE
        k.category = %(category)s::text AND k.purpose = 'gold' AND q.state <> 'withdrawn'
        AND NOT EXISTS (
            SELECT FROM votes AS v
            WHERE
                v.clip_id = k.clip_id AND v.category = k.category AND v.annotator = %(annotator)s::text
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
