-- The clips whose answer is known and that are mixed in unseen, and where they lie.
SELECT q.category, q.clip_id, q.video_id, q.round, q.split, q.start_sec, q.end_sec, k.answer = 'yes' AS contains
FROM known_answers AS k
INNER JOIN queue AS q ON q.clip_id = k.clip_id AND q.category = k.category
WHERE k.purpose = 'gold'
ORDER BY q.category, q.clip_id;
