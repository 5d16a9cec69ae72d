-- Open a session of the review service, and forget the sessions that are over. A person who was forgotten since the
-- password was looked up gets none.
WITH over AS (
    DELETE FROM sessions WHERE ends_at <= now()
)
INSERT INTO sessions (session, annotator, ends_at)
SELECT %(session)s::text, annotator, to_timestamp(%(ends)s::double precision)
FROM annotators
WHERE annotator = %(annotator)s::text;
