-- The account of a person who may log in.
SELECT annotator, password, role
FROM annotators
WHERE annotator = %(annotator)s::text AND active AND password IS NOT NULL;
