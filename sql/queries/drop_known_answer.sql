-- Forget that the answer to a clip is known. One that was an example is asked as any other clip.
WITH forgotten AS (
    DELETE FROM known_answers
    WHERE clip_id = %(clip_id)s::text AND category = %(category)s::text
    RETURNING clip_id, category, purpose
), turned AS (
    UPDATE queue AS q
    SET state = 'open'
    FROM forgotten AS f
    WHERE (q.clip_id, q.category) = (f.clip_id, f.category) AND f.purpose = 'example' AND q.state = 'withdrawn'
)
SELECT clip_id FROM forgotten;
