-- Whether a person is known, and whether the person is being forgotten.
SELECT
    EXISTS (SELECT FROM annotators WHERE annotator = %(name)s::text) AS is_known,
    EXISTS (SELECT FROM forgotten WHERE name = %(name)s::text) AS is_going;
