-- One clip of the queue: where it lies, what stands of it, and where its video was found.
SELECT
    q.clip_id, q.category, c.name, q.video_id, q.start_sec, q.end_sec, q.split, q.round, q.strategy, q.proxy_256, q.state,
    q.queued_at, q.votes_wanted, f.verdict, f.kind, l.score, k.purpose, k.answer AS known, k.person AS known_by,
    a.source, a.source_id, a.published_at, a."window"::text AS "window"
FROM live_queue AS q
JOIN categories AS c USING (category)
LEFT JOIN listed_clips AS l ON l.clip_id = q.clip_id AND l.category = q.category
LEFT JOIN clip_facets AS f USING (facet)
LEFT JOIN known_answers AS k ON k.clip_id = q.clip_id AND k.category = q.category
LEFT JOIN admissions AS a ON a.video_id = q.video_id AND a.category = q.category
WHERE q.clip_id = %(clip_id)s::text AND q.category = %(category)s::text;
