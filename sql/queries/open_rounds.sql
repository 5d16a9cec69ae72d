-- Rounds in which some clip still waits for answers. A label that stands while a second person is asked holds up nothing,
-- nor does a clip whose answer is known: gold is never handed out alone, so it may wait for ever. Nobody is asked about a
-- video that was taken down.
SELECT DISTINCT category, round
FROM live_queue AS q
WHERE
    state = 'open' AND NOT again
    AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
ORDER BY category, round;
