-- How many clips of each category wait for answers; nobody is asked about a video that was taken down.
SELECT category, count(*) AS clips
FROM live_queue AS q
JOIN categories AS c USING (category)
WHERE state = 'open' AND c.retired_at IS NULL
GROUP BY category
ORDER BY category;
