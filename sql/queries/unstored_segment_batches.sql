-- Batches of votes about segments that may not be in the store yet, oldest first.
SELECT batch FROM segment_batches WHERE NOT is_stored ORDER BY batch;
