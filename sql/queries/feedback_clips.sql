-- The gold among a person's answers of one batch, with what the person said at last and what is known.
SELECT q.clip_id, q.category, q.start_sec, q.end_sec, q.proxy_256, v.answer, k.answer AS known
FROM votes AS v
JOIN known_answers AS k ON (k.clip_id, k.category, k.purpose) = (v.clip_id, v.category, 'gold')
JOIN live_queue AS q ON (q.clip_id, q.category) = (v.clip_id, v.category)
WHERE
    v.annotator = %(annotator)s::text AND v.category = %(category)s::text
    AND v.cast_at > %(began)s::timestamptz AND v.cast_at <= %(shown_at)s::timestamptz
    AND NOT EXISTS (SELECT FROM votes AS later WHERE later.supersedes = v.vote_id)
ORDER BY v.cast_at, v.clip_id;
