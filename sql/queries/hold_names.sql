-- Keep the names of people as they are while this session reads or writes them, beside others that do; alone: for the one
-- that forgets a name. Returns whether this session may. The lock ends with the session.
SELECT
    CASE
        WHEN %(alone)s::boolean THEN pg_try_advisory_lock(7221414) ELSE pg_try_advisory_lock_shared(7221414)
    END AS taken;
