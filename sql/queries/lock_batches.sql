-- Let one process at a time take a batch; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(7221411);
