-- Make a committee the current one, also one that is known.
INSERT INTO committees (committee, origin, categories)
VALUES (%(committee)s::text, %(origin)s::text, %(categories)s::text[])
ON CONFLICT (committee) DO UPDATE SET ordinal = DEFAULT, current_since = now();
