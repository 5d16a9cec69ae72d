-- How many clips of each window people were asked about, of these categories.
SELECT split_part(round, '.', 1)::date AS "window", count(*) AS clips
FROM queue
WHERE state <> 'withdrawn' AND category = ANY(%(categories)s::text[])
GROUP BY 1
ORDER BY 1;
