-- The clips whose answer is known.
SELECT category, purpose, answer, clip_id, person
FROM known_answers
ORDER BY category, purpose, answer, clip_id;
