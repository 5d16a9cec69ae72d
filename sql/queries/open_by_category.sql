-- How many clips of each category wait for answers; nobody is asked about a video that was taken down.
SELECT category, count(*) AS clips
FROM live_queue AS q
WHERE state = 'open'
GROUP BY category
ORDER BY category;
