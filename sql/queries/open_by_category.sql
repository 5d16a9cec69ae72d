-- How many clips of each category wait for answers.
SELECT category, count(*) AS clips FROM queue WHERE state = 'open' GROUP BY category ORDER BY category;
