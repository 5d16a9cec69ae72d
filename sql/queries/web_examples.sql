-- A few clips of each answer to show beside the guideline: those that an expert chose, then finished clips on which
-- everybody agreed and nobody corrected an answer. Never a gold clip.
WITH known AS (
    SELECT k.clip_id, k.answer, q.start_sec, q.end_sec, q.proxy_256, 0 AS rank
    FROM known_answers AS k
    JOIN live_queue AS q USING (clip_id, category)
    WHERE k.category = %(category)s::text AND k.purpose = 'example'
), finished AS (
    SELECT q.*
    FROM live_queue AS q
    WHERE
        q.category = %(category)s::text AND q.state = 'finished'
        AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
    ORDER BY q.place
    LIMIT 200
), agreed AS (
    SELECT q.clip_id, min(v.answer) AS answer, q.start_sec, q.end_sec, q.proxy_256, 1 AS rank
    FROM finished AS q
    JOIN votes AS v ON v.clip_id = q.clip_id AND v.category = q.category
    WHERE v.supersedes IS NULL
    GROUP BY q.clip_id, q.start_sec, q.end_sec, q.proxy_256
    HAVING
        min(v.answer) = max(v.answer) AND count(*) >= 2
        AND NOT bool_or(EXISTS (
            -- OFFSET 0 has each vote looked up by its index: the corrections of all clips are never read.
            SELECT FROM votes AS later
            WHERE
                later.clip_id = v.clip_id AND later.category = v.category AND later.supersedes = v.vote_id
            OFFSET 0
        ))
), ranked AS (
    SELECT found.*, row_number() OVER (PARTITION BY answer ORDER BY rank, clip_id) AS number
    FROM (SELECT * FROM known UNION ALL SELECT * FROM agreed) AS found
    WHERE answer IN ('yes', 'no')
)
SELECT clip_id, %(category)s::text AS category, answer, start_sec, end_sec, proxy_256
FROM ranked
WHERE number <= %(examples_most)s::integer
ORDER BY answer DESC, number;
