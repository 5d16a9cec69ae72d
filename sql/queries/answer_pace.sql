-- How long the newest thousand answers about a category took on average, in seconds; null before the first.
SELECT avg(least(newest.seconds, 60.0))::double precision AS seconds
FROM (
    SELECT v.seconds
    FROM votes AS v
    WHERE v.category = %(category)s::text
    ORDER BY v.cast_at DESC
    LIMIT 1000
) AS newest;
