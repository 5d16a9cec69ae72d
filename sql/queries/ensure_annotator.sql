-- Make a person known; one who is known already stays as is.
INSERT INTO annotators (annotator) VALUES (%(annotator)s::text) ON CONFLICT (annotator) DO NOTHING;
