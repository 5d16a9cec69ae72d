-- Put back the row of a batch that the store holds.
INSERT INTO batches (batch, vote_count) VALUES (%(batch)s::integer, %(vote_count)s::bigint)
ON CONFLICT (batch) DO NOTHING;
