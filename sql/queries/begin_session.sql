-- Open a session of the review service, and forget the sessions that are over.
WITH over AS (
    DELETE FROM sessions WHERE ends_at <= now()
)
INSERT INTO sessions (session, annotator, ends_at)
VALUES (%(session)s::text, %(annotator)s::text, to_timestamp(%(ends)s::double precision));
