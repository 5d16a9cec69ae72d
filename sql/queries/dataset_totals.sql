-- How many rows the current generations of each dataset hold together.
SELECT dataset, sum(row_count) AS rows FROM current_datasets GROUP BY dataset ORDER BY dataset;
