-- Let other sessions forget a name, or read and write names, again.
SELECT
    CASE WHEN %(alone)s::boolean THEN pg_advisory_unlock(7221414) ELSE pg_advisory_unlock_shared(7221414) END;
