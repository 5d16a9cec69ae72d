-- Hand new clips of one category to a person: never one that the person holds or answered, nor one of a withdrawn video,
-- and none of a retired category.
-- Gold clips come among them. Of the others, clips that somebody has begun come first, so that answers meet; then fresh
-- ones, from a place that the caller draws, so that many people at once do not want the same rows. Each arm reads the
-- index of what is available and stops when it has enough: the cost does not grow with the queue. Rows that another call
-- is handing out at this moment are skipped. A person's first answer to a clip, which supersedes none, says that it was
-- answered: those have an index.
WITH me AS (
    -- Taken before any clip, as everywhere: whoever is being forgotten is not waited for with clips taken.
    SELECT a.annotator
    FROM annotators AS a
    JOIN categories AS c ON c.category = %(category)s::text
    WHERE
        a.annotator = %(annotator)s::text AND a.active AND c.retired_at IS NULL
        AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
    FOR KEY SHARE OF a
), pool AS (
    -- All gold clips in a random order, also where none is wanted: a call with gold takes as long as one without.
    SELECT k.clip_id, row_number() OVER (ORDER BY random()) AS number
    FROM known_answers AS k
    JOIN live_queue AS q USING (clip_id, category)
    WHERE
        k.category = %(category)s::text AND k.purpose = 'gold' AND q.state <> 'withdrawn'
        AND EXISTS (SELECT FROM me)
        AND NOT EXISTS (
            SELECT FROM votes AS v
            WHERE
                v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = %(annotator)s::text
                AND v.supersedes IS NULL
        )
        AND NOT EXISTS (
            SELECT FROM leases AS l
            WHERE l.clip_id = q.clip_id AND l.category = q.category AND l.annotator = %(annotator)s::text
        )
), begun AS (
    -- Begun, and wanted soonest: a look at the head of the index, which somebody else's clips mostly fill.
    SELECT q.clip_id
    FROM (
        SELECT h.clip_id
        FROM queue AS h
        WHERE
            h.category = %(category)s::text AND h.state = 'open' AND h.taken < h.votes_wanted AND h.taken > 0
            AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (h.clip_id, h.category))
        ORDER BY h.taken DESC, h.place
        LIMIT 100
    ) AS head
    JOIN live_queue AS q ON q.clip_id = head.clip_id AND q.category = %(category)s::text
    WHERE
        q.state = 'open' AND q.taken < q.votes_wanted
        AND EXISTS (SELECT FROM me)
        AND NOT EXISTS (
            SELECT FROM votes AS v
            WHERE
                v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = %(annotator)s::text
                AND v.supersedes IS NULL
        )
        AND NOT EXISTS (
            SELECT FROM leases AS l
            WHERE l.clip_id = q.clip_id AND l.category = q.category AND l.annotator = %(annotator)s::text
        )
    ORDER BY q.taken DESC, q.place
    LIMIT %(clips_most)s::integer
    FOR NO KEY UPDATE OF q SKIP LOCKED
), fresh AS (
    SELECT q.clip_id
    FROM live_queue AS q
    WHERE
        q.category = %(category)s::text AND q.state = 'open' AND q.taken < q.votes_wanted AND q.taken = 0
        AND q.place >= %(place)s::double precision
        AND EXISTS (SELECT FROM me)
        AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
    ORDER BY q.place
    LIMIT %(clips_most)s::integer
    FOR NO KEY UPDATE OF q SKIP LOCKED
), rest AS (
    -- Whatever is left: only reached when the fresh clips after the drawn place do not suffice. OFFSET 0 has each clip
    -- looked up by its key: somebody who has answered nearly all of it must not cost a join of the two.
    SELECT q.clip_id
    FROM live_queue AS q
    WHERE
        q.category = %(category)s::text AND q.state = 'open' AND q.taken < q.votes_wanted
        AND EXISTS (SELECT FROM me)
        AND q.clip_id NOT IN (SELECT clip_id FROM begun UNION ALL SELECT clip_id FROM fresh)
        AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
        AND NOT EXISTS (
            SELECT FROM votes AS v
            WHERE
                v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = %(annotator)s::text
                AND v.supersedes IS NULL
            OFFSET 0
        )
        AND NOT EXISTS (
            SELECT FROM leases AS l
            WHERE l.clip_id = q.clip_id AND l.category = q.category AND l.annotator = %(annotator)s::text
            OFFSET 0
        )
    ORDER BY q.taken DESC, q.place
    LIMIT %(clips_most)s::integer
    FOR NO KEY UPDATE OF q SKIP LOCKED
), available AS MATERIALIZED (
    SELECT clip_id
    FROM (
        SELECT clip_id FROM begun
        UNION ALL
        SELECT clip_id FROM fresh
        UNION ALL
        SELECT clip_id FROM rest
    ) AS found
    LIMIT %(clips_most)s::integer
), wanted AS MATERIALIZED (
    -- How much gold: what the caller drew, and where ordinary clips run out the same share of fewer. A clip that comes
    -- when nothing else is left would be known for gold.
    SELECT CASE
        WHEN count(*) = 0 THEN 0
        WHEN count(*) >= %(clips_most)s::integer - %(gold_most)s::integer THEN %(gold_most)s::integer
        ELSE floor(%(gold_most)s::double precision * count(*) / %(clips_most)s::integer + random())
    END AS gold
    FROM available
), golden AS MATERIALIZED (
    -- Gold too is skipped where somebody answers it at this moment: whoever waits with clips in hand may be waited for.
    SELECT q.clip_id
    FROM pool
    JOIN queue AS q ON q.clip_id = pool.clip_id AND q.category = %(category)s::text
    WHERE pool.number <= (SELECT gold FROM wanted)
    FOR NO KEY UPDATE OF q SKIP LOCKED
), chosen AS (
    SELECT clip_id FROM available LIMIT greatest(%(clips_most)s::integer - (SELECT count(*) FROM golden), 0)
), leased AS (
    INSERT INTO leases (clip_id, category, annotator, expires_at)
    SELECT
        clip_id, %(category)s::text, %(annotator)s::text,
        now() + make_interval(secs => %(lease_sec)s::double precision)
    FROM (SELECT clip_id FROM golden UNION ALL SELECT clip_id FROM chosen) AS handed
    ON CONFLICT (clip_id, category, annotator) DO NOTHING
    RETURNING clip_id, category
), back AS (
    DELETE FROM lapsed_leases AS p
    USING leased AS l
    WHERE (p.annotator, p.category, p.clip_id) = (%(annotator)s::text, l.category, l.clip_id)
), counted AS (
    UPDATE queue AS q SET taken = q.taken + 1 FROM leased AS l WHERE (q.clip_id, q.category) = (l.clip_id, l.category)
)
SELECT q.clip_id, q.category, q.start_sec, q.end_sec, q.proxy_256, NULL AS set_id
FROM leased AS l
JOIN queue AS q USING (clip_id, category)
ORDER BY random();
