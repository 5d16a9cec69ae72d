-- Forget the dropped videos of a category in a window, but these candidates.
DELETE FROM duplicates
WHERE category = %(category)s::text AND "window" = %(window)s::date
    AND candidate_id <> ALL(%(candidates)s::text[]);
