-- What one annotator has done today (UTC): clips answered, and the median time of an answer in seconds.
SELECT
    count(v.seconds) AS today,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY v.seconds) AS pace_sec
FROM categories AS c
CROSS JOIN LATERAL (
    SELECT votes.seconds
    FROM votes
    WHERE
        votes.annotator = %(annotator)s::text AND votes.category = c.category AND votes.supersedes IS NULL
        AND votes.cast_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
) AS v;
