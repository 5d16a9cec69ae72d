-- Rounds in which some clip still waits for answers. A clip that was labelled once and is asked again holds up nothing,
-- whatever becomes of its label: a release would lose its whole round for it. Nor does a clip whose answer is known: gold
-- is never handed out alone, so it may wait for ever. Nobody is asked about a video that was taken down.
SELECT DISTINCT category, round
FROM live_queue AS q
WHERE
    state = 'open' AND NOT again
    AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
ORDER BY category, round;
