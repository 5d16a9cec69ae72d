-- The session with this id, if it is open and this person's.
SELECT annotator
FROM sessions
WHERE session = %(session)s::text AND annotator = %(annotator)s::text AND ends_at > now();
