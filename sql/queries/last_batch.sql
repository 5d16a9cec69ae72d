-- The newest batch of votes.
SELECT batch, vote_count, taken_at FROM batches ORDER BY batch DESC LIMIT 1;
