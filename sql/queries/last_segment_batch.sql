-- The newest batch of votes about segments.
SELECT batch, vote_count, taken_at FROM segment_batches ORDER BY batch DESC LIMIT 1;
