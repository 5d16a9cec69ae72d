-- Where fetch dropped what a later try may get: tried at most so often, before this moment, under the settings that
-- decide now what becomes of a candidate. Under others everything would be fetched again, and what a host has lost since
-- would be gone.
SELECT keys ->> 'category' AS category, keys ->> 'window' AS "window"
FROM current_datasets
WHERE
    dataset = 'fetched' AND version = %(version)s::integer AND retryable > 0
    AND generation <= %(tries)s::integer AND written_at < %(before)s::timestamptz
    AND (settings -> 'collect') - %(aside)s::text[] = %(collect)s::jsonb - %(aside)s::text[]
    AND (%(window)s::text IS NULL OR keys ->> 'window' = %(window)s::text)
ORDER BY category, "window";
