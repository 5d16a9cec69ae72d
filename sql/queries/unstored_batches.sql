-- Batches of votes that may not be in the store yet, oldest first.
SELECT batch FROM batches WHERE NOT is_stored ORDER BY batch;
