-- Let one transaction at a time adopt committees, so that none is merged with one that is no longer current.
SELECT pg_advisory_xact_lock(7221413);
