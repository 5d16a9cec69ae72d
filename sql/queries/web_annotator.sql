-- Make a person known who has logged in for the first time; somebody set inactive stays so.
INSERT INTO annotators (annotator)
VALUES (%(annotator)s::text)
ON CONFLICT (annotator) DO NOTHING;
