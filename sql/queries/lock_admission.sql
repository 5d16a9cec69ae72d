-- Let one transaction at a time admit videos, so that two windows never admit near-duplicates of each other.
SELECT pg_advisory_xact_lock(7221410);
