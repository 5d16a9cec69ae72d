-- Keep somebody from being forgotten until this transaction ends, beside others that do; alone: for the one that forgets.
SELECT
    CASE
        WHEN %(alone)s::boolean THEN pg_advisory_xact_lock(7221417, hashtext(%(name)s::text))
        ELSE pg_advisory_xact_lock_shared(7221417, hashtext(%(name)s::text))
    END;
