-- Rounds in which some clip still waits for answers; nobody is asked about a video that was taken down.
SELECT DISTINCT category, round
FROM live_queue AS q
WHERE state = 'open'
ORDER BY category, round;
