-- How many clips of each category wait for answers; nobody is asked about a video that was taken down.
SELECT category, count(*) AS clips
FROM queue AS q
WHERE state = 'open' AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id)
GROUP BY category
ORDER BY category;
