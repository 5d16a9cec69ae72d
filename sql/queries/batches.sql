-- Every batch of votes, oldest first.
SELECT batch, vote_count, taken_at FROM batches ORDER BY batch;
