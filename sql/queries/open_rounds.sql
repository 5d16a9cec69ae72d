-- Rounds in which some clip still waits for answers; nobody is asked about a video that was taken down.
SELECT DISTINCT category, round
FROM queue AS q
WHERE state = 'open' AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id)
ORDER BY category, round;
