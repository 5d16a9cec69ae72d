-- How many clips of a round of a category are in the queue, and how many of them wait for answers.
SELECT count(*) AS clips, count(*) FILTER (WHERE state = 'open') AS waiting
FROM queue
WHERE category = %(category)s::text AND round = %(round)s::text;
