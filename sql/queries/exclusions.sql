-- How much of each benchmark is excluded, by names and by media.
SELECT benchmark, sum(names)::bigint AS names, sum(media)::bigint AS media, min(since) AS since
FROM (
    SELECT benchmark, count(*) AS names, 0 AS media, min(since) AS since FROM excluded_names GROUP BY benchmark
    UNION ALL
    SELECT benchmark, 0, count(*), min(since) FROM excluded_media GROUP BY benchmark
) AS counted
GROUP BY benchmark
ORDER BY benchmark;
