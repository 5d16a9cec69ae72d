-- Rounds in which some clip still waits for answers. A label that stands while a second person is asked holds up nothing,
-- and nobody is asked about a video that was taken down.
SELECT DISTINCT category, round
FROM live_queue AS q
WHERE state = 'open' AND NOT again
ORDER BY category, round;
