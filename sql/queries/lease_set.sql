-- Hand a person clips of one category that look alike, to be answered together: at most SET_MOST of them, and only where
-- there are SET_LEAST that the person neither holds nor has answered. A set that somebody has begun comes first, so that
-- answers meet; then a fresh one, from a place that the caller draws. With `gold_most` 1 a gold clip takes the place of one
-- of them, so nothing but its picture tells it apart. Each arm reads the head of an index, however long the queue is.
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
    -- A look at the head of the index, which sets fill that this person has answered already.
    SELECT head.alike
    FROM (
        SELECT h.clip_id, h.alike, h.taken
        FROM queue AS h
        WHERE
            h.category = %(category)s::text AND h.state = 'open' AND h.taken < h.votes_wanted
            AND h.alike IS NOT NULL AND h.taken > 0
        ORDER BY h.taken DESC, h.alike
        LIMIT 480
    ) AS head
    JOIN live_queue AS q ON q.clip_id = head.clip_id AND q.category = %(category)s::text
    WHERE
        NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
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
    GROUP BY head.alike
    HAVING count(*) >= %(set_least)s::integer
    ORDER BY max(head.taken) DESC, head.alike
    LIMIT 1
), fresh AS (
    SELECT head.alike
    FROM (
        SELECT h.clip_id, h.alike
        FROM queue AS h
        WHERE
            h.category = %(category)s::text AND h.state = 'open' AND h.taken < h.votes_wanted
            AND h.taken = 0 AND h.alike >= %(place)s::text
        ORDER BY h.alike
        LIMIT 480
    ) AS head
    JOIN live_queue AS q ON q.clip_id = head.clip_id AND q.category = %(category)s::text
    WHERE
        NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
    GROUP BY head.alike
    HAVING count(*) >= %(set_least)s::integer
    ORDER BY head.alike
    LIMIT 1
), rest AS (
    -- Whatever is left: only reached when neither of them has a set.
    SELECT q.alike
    FROM live_queue AS q
    WHERE
        q.category = %(category)s::text AND q.state = 'open' AND q.taken < q.votes_wanted AND q.alike IS NOT NULL
        AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
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
    GROUP BY q.alike
    HAVING count(*) >= %(set_least)s::integer
    LIMIT 1
), picked AS MATERIALIZED (
    SELECT alike
    FROM (
        SELECT alike FROM begun
        UNION ALL
        SELECT alike FROM fresh
        UNION ALL
        SELECT alike FROM rest
    ) AS found
    LIMIT 1
), available AS MATERIALIZED (
    SELECT q.clip_id
    FROM live_queue AS q
    WHERE
        q.category = %(category)s::text AND q.state = 'open' AND q.taken < q.votes_wanted
        AND q.alike = (SELECT alike FROM picked)
        AND EXISTS (SELECT FROM me)
        AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
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
    ORDER BY q.clip_id
    LIMIT %(set_most)s::integer
    FOR NO KEY UPDATE OF q SKIP LOCKED
), golden AS MATERIALIZED (
    -- Gold too is skipped where somebody answers it at this moment: whoever waits with clips in hand may be waited for.
    SELECT q.clip_id
    FROM pool
    JOIN queue AS q ON q.clip_id = pool.clip_id AND q.category = %(category)s::text
    WHERE pool.number <= CASE WHEN (SELECT count(*) FROM available) > 1 THEN %(gold_most)s::integer ELSE 0 END
    FOR NO KEY UPDATE OF q SKIP LOCKED
), chosen AS (
    SELECT clip_id FROM available
    ORDER BY random()
    LIMIT (SELECT count(*) FROM available) - (SELECT count(*) FROM golden)
), leased AS (
    INSERT INTO leases (clip_id, category, annotator, expires_at, set_id)
    SELECT
        clip_id, %(category)s::text, %(annotator)s::text,
        now() + make_interval(secs => %(lease_sec)s::double precision), %(set_id)s::uuid
    FROM (SELECT clip_id FROM golden UNION ALL SELECT clip_id FROM chosen) AS handed
    ON CONFLICT (clip_id, category, annotator) DO NOTHING
    RETURNING clip_id, category, set_id
), back AS (
    DELETE FROM lapsed_leases AS p
    USING leased AS l
    WHERE (p.annotator, p.category, p.clip_id) = (%(annotator)s::text, l.category, l.clip_id)
), counted AS (
    UPDATE queue AS q SET taken = q.taken + 1 FROM leased AS l WHERE (q.clip_id, q.category) = (l.clip_id, l.category)
)
SELECT q.clip_id, q.category, q.start_sec, q.end_sec, q.proxy_256, l.set_id::text
FROM leased AS l
JOIN queue AS q USING (clip_id, category)
ORDER BY random();
