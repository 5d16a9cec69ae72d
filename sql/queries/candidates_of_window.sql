-- Candidates of a category that this window saw first.
SELECT candidate_id FROM candidates WHERE category = %(category)s::text AND "window" = %(window)s::date;
