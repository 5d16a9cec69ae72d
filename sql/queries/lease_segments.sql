-- Hand new segments of one category to a person: never one that the person holds or answered, nor one of a withdrawn
-- video, and none of a retired category. Those that somebody has begun come first, so that answers meet; then what the
-- network is surest of. Gold comes among them, and never alone: that would name it. Rows that another call is handing out
-- at this moment are skipped.
WITH me AS (
    -- Taken before any segment, as everywhere: whoever is being forgotten is not waited for with segments taken.
    SELECT a.annotator
    FROM annotators AS a
    JOIN categories AS c ON c.category = %(category)s::text
    WHERE
        a.annotator = %(annotator)s::text AND a.active AND c.retired_at IS NULL
        AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
    FOR KEY SHARE OF a
), pool AS (
    -- All gold in a random order, also where none is wanted: a call with gold takes as long as one without.
    SELECT g.segment_id, row_number() OVER (ORDER BY random()) AS number
    FROM gold_segments AS g
    JOIN live_segments AS s USING (segment_id)
    WHERE
        s.category = %(category)s::text
        AND EXISTS (SELECT FROM me)
        AND NOT EXISTS (
            SELECT FROM segment_votes AS v
            WHERE v.segment_id = s.segment_id AND v.annotator = %(annotator)s::text AND v.supersedes IS NULL
        )
        AND NOT EXISTS (
            SELECT FROM segment_leases AS l
            WHERE l.segment_id = s.segment_id AND l.annotator = %(annotator)s::text
        )
), available AS MATERIALIZED (
    SELECT s.segment_id
    FROM live_segments AS s
    WHERE
        s.category = %(category)s::text AND s.state = 'open' AND s.taken < s.votes_wanted
        AND EXISTS (SELECT FROM me)
        AND NOT EXISTS (SELECT FROM gold_segments AS g WHERE g.segment_id = s.segment_id OFFSET 0)
        AND NOT EXISTS (
            SELECT FROM segment_votes AS v
            WHERE v.segment_id = s.segment_id AND v.annotator = %(annotator)s::text AND v.supersedes IS NULL
            OFFSET 0
        )
        AND NOT EXISTS (
            SELECT FROM segment_leases AS l
            WHERE l.segment_id = s.segment_id AND l.annotator = %(annotator)s::text
            OFFSET 0
        )
    ORDER BY s.taken DESC, s.score DESC, s.segment_id
    LIMIT %(segments_most)s::integer
    FOR NO KEY UPDATE OF s SKIP LOCKED
), wanted AS MATERIALIZED (
    -- How much gold: what the caller drew, and where ordinary segments run out the same share of fewer.
    SELECT CASE
        WHEN count(*) = 0 THEN 0
        WHEN count(*) >= %(segments_most)s::integer - %(gold_most)s::integer THEN %(gold_most)s::integer
        ELSE floor(%(gold_most)s::double precision * count(*) / %(segments_most)s::integer + random())
    END AS gold
    FROM available
), golden AS MATERIALIZED (
    -- Gold too is skipped where somebody answers it at this moment: whoever waits with segments in hand may be waited for.
    SELECT s.segment_id
    FROM pool
    JOIN segments AS s USING (segment_id)
    WHERE pool.number <= (SELECT gold FROM wanted)
    FOR NO KEY UPDATE OF s SKIP LOCKED
), chosen AS (
    SELECT segment_id FROM available
    LIMIT greatest(%(segments_most)s::integer - (SELECT count(*) FROM golden), 0)
), leased AS (
    INSERT INTO segment_leases (segment_id, annotator, expires_at)
    SELECT segment_id, %(annotator)s::text, now() + make_interval(secs => %(lease_sec)s::double precision)
    FROM (SELECT segment_id FROM golden UNION ALL SELECT segment_id FROM chosen) AS handed
    ON CONFLICT (annotator, segment_id) DO NOTHING
    RETURNING segment_id
), counted AS (
    UPDATE segments AS s SET taken = s.taken + 1 FROM leased AS l WHERE s.segment_id = l.segment_id
)
SELECT s.segment_id, s.category, s.start_sec, s.end_sec, s.duration_sec, s.fps, s.proxy_256
FROM leased AS l
JOIN segments AS s USING (segment_id)
ORDER BY random();
