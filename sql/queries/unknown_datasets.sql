-- How many generations an older version recorded: what they were made from is unknown.
SELECT count(*) AS generations FROM datasets WHERE contents IS NULL;
