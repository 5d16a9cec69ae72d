-- How many clips of each category wait for answers, and how many of these have no label yet: the label of a clip that is
-- asked again stands meanwhile. A clip whose answer is known waits for none, and nobody is asked about a video that was
-- taken down.
SELECT category, count(*) AS clips, count(*) FILTER (WHERE NOT again) AS unlabelled
FROM live_queue AS q
JOIN categories AS c USING (category)
WHERE
    state = 'open' AND c.retired_at IS NULL
    AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
GROUP BY category
ORDER BY category;
