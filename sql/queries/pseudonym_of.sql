-- The pseudonym of a person who is being forgotten.
SELECT pseudonym FROM forgotten WHERE name = %(name)s::text;
