-- Say that a source offered a candidate; the window that saw it first keeps it.
INSERT INTO candidates (candidate_id, category, "window")
VALUES (%(candidate_id)s::text, %(category)s::text, %(window)s::date)
ON CONFLICT (candidate_id, category) DO NOTHING;
