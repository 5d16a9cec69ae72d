-- Let other sessions make a partition again.
SELECT pg_advisory_unlock(7221412, hashtext(%(address)s::text));
