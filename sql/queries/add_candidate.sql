-- Remember the window that saw an undated candidate first; a known one stays where it is.
INSERT INTO candidates (candidate_id, category, "window")
VALUES (%(candidate_id)s::text, %(category)s::text, %(window)s::date)
ON CONFLICT (candidate_id, category) DO NOTHING;
