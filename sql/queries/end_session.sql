-- End a session for good.
DELETE FROM sessions WHERE session = %(session)s::text;
