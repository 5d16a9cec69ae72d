-- Every open clip that still wants answers, with who has answered it and the source's name of its video.
SELECT
    q.clip_id, q.category, q.start_sec, q.end_sec, q.votes_wanted, q.alike, q.again, c.guideline_version,
    min(a.source_id) AS source_id,
    coalesce(array_agg(DISTINCT v.annotator) FILTER (WHERE v.annotator IS NOT NULL), '{}') AS annotators
FROM live_queue AS q
JOIN categories AS c USING (category)
JOIN admissions AS a USING (video_id, category)
LEFT JOIN votes AS v USING (clip_id, category)
WHERE q.state = 'open' AND c.retired_at IS NULL
GROUP BY q.clip_id, q.category, q.start_sec, q.end_sec, q.votes_wanted, q.alike, q.again, q.queued_at, c.guideline_version
HAVING count(DISTINCT v.annotator) < q.votes_wanted
ORDER BY q.queued_at, q.clip_id, q.category;
