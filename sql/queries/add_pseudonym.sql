-- Make the pseudonym of a known person known. It has no login; the person's row is locked until the name is gone.
INSERT INTO annotators (annotator, active, since)
SELECT %(pseudonym)s::text, false, since FROM annotators WHERE annotator = %(name)s::text FOR UPDATE
ON CONFLICT (annotator) DO NOTHING;
