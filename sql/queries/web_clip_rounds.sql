-- The rounds in which clips of a category were asked, the newest first: one look at the index for each.
WITH RECURSIVE rounds AS (
    (SELECT round FROM queue WHERE category = %(category)s::text ORDER BY round DESC LIMIT 1)
    UNION ALL
    SELECT (
        SELECT q.round FROM queue AS q
        WHERE q.category = %(category)s::text AND q.round < rounds.round
        ORDER BY q.round DESC
        LIMIT 1
    )
    FROM rounds
    WHERE rounds.round IS NOT NULL
)
SELECT round FROM rounds WHERE round IS NOT NULL LIMIT %(most)s::integer;
