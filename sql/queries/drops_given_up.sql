-- How many drops that a later try might get are tried no more, and in how many (category, window).
SELECT count(*) AS partitions, coalesce(sum(retryable), 0)::bigint AS drops
FROM current_datasets
WHERE dataset = 'fetched' AND retryable > 0 AND generation > %(tries)s::integer;
