-- A person's newest answers with their clips; of a corrected one the correction alone.
SELECT
    v.cast_at, v.answer, v.seconds, v.set_id IS NOT NULL AS in_set, c.category, c.name, q.clip_id, q.start_sec, q.end_sec,
    q.proxy_256
FROM categories AS c
CROSS JOIN LATERAL (
    SELECT own.*
    FROM votes AS own
    WHERE own.annotator = %(annotator)s::text AND own.category = c.category
    ORDER BY own.cast_at DESC
    LIMIT %(most)s::integer
) AS v
JOIN live_queue AS q ON (q.clip_id, q.category) = (v.clip_id, v.category)
WHERE NOT EXISTS (SELECT FROM votes AS later WHERE later.supersedes = v.vote_id)
ORDER BY v.cast_at DESC
LIMIT %(most)s::integer;
