-- Forget that the answer to a clip is known.
DELETE FROM known_answers WHERE clip_id = %(clip_id)s::text AND category = %(category)s::text;
