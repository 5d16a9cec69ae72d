-- Put back the row of a batch of votes about segments that the store holds.
INSERT INTO segment_batches (batch, vote_count, is_stored) VALUES (%(batch)s::integer, %(vote_count)s::bigint, true)
ON CONFLICT (batch) DO NOTHING;
