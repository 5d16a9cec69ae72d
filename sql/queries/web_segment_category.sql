-- One category as a person sees it who answers segments: its guideline, how many the person has answered today and ever,
-- the pace, and how many are left, counted up to a limit. What is left says nothing of gold: it stays when a segment is
-- handed out and falls by one with each answer, whatever the segment is. Gold alone is not left: it never comes alone.
-- OFFSET 0 has each segment looked up by its key, as few are when the queue is long.
WITH me AS (
    SELECT a.annotator, c.*
    FROM categories AS c
    JOIN annotators AS a ON a.annotator = %(annotator)s::text AND a.active
    WHERE c.category = %(category)s::text AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
), hands AS (
    SELECT l.segment_id
    FROM segment_leases AS l
    JOIN live_segments AS s USING (segment_id)
    WHERE l.annotator = %(annotator)s::text AND s.category = %(category)s::text
), available AS (
    SELECT
    FROM live_segments AS s
    WHERE
        s.category = %(category)s::text AND s.state = 'open' AND s.taken < s.votes_wanted
        AND EXISTS (SELECT FROM me WHERE me.retired_at IS NULL)
        AND NOT EXISTS (SELECT FROM gold_segments AS g WHERE g.segment_id = s.segment_id OFFSET 0)
        AND NOT EXISTS (
            SELECT FROM segment_votes AS v
            WHERE v.segment_id = s.segment_id AND v.annotator = %(annotator)s::text AND v.supersedes IS NULL
            OFFSET 0
        )
        AND s.segment_id NOT IN (SELECT segment_id FROM hands)
    LIMIT %(count_most)s::integer
), gold AS (
    SELECT
    FROM gold_segments AS g
    JOIN live_segments AS s USING (segment_id)
    WHERE
        s.category = %(category)s::text
        AND NOT EXISTS (
            SELECT FROM segment_votes AS v
            WHERE v.segment_id = s.segment_id AND v.annotator = %(annotator)s::text AND v.supersedes IS NULL
            OFFSET 0
        )
        AND g.segment_id NOT IN (SELECT segment_id FROM hands)
), mine AS (
    SELECT v.seconds, v.cast_at
    FROM segment_votes AS v
    JOIN segments AS s USING (segment_id)
    WHERE v.annotator = %(annotator)s::text AND s.category = %(category)s::text AND v.supersedes IS NULL
)
SELECT
    category, name, guideline, guideline_version,
    (SELECT count(*) FROM mine) AS answered,
    (
        SELECT count(*) FROM mine
        WHERE mine.cast_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    ) AS today,
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY mine.seconds) FROM mine) AS pace_sec,
    least(
        %(count_most)s::integer,
        (SELECT count(*) FROM hands)
        + CASE WHEN EXISTS (SELECT FROM available)
            THEN (SELECT count(*) FROM available) + (SELECT count(*) FROM gold)
            ELSE 0
        END
    ) AS remaining
FROM me;
