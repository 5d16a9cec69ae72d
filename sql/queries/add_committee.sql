-- Make a committee the current one; one that is known already stays where it is.
INSERT INTO committees (committee, origin, categories)
VALUES (%(committee)s::text, %(origin)s::text, %(categories)s::text[])
ON CONFLICT (committee) DO NOTHING;
