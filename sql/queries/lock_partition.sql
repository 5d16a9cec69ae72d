-- Let one session at a time make a partition; returns whether this one may. The lock ends with the session.
SELECT pg_try_advisory_lock(7221412, hashtext(%(address)s::text)) AS taken;
