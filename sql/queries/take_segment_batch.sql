-- Move every committed vote about a segment from its outbox into the next batch of such votes. No votes: no batch.
-- Numbers that the store holds already, from a ledger that was lost, are passed over.
WITH taken AS (
    DELETE FROM segment_outbox RETURNING vote_id
), numbered AS (
    INSERT INTO segment_batches (batch, vote_count)
    SELECT
        greatest(coalesce((SELECT max(batch) FROM segment_batches), 0), %(newest_stored)s::integer) + 1, count(*)
    FROM taken
    HAVING count(*) > 0
    RETURNING batch, vote_count
), placed AS (
    INSERT INTO segment_batch_votes (vote_id, batch) SELECT t.vote_id, n.batch FROM taken AS t CROSS JOIN numbered AS n
)
SELECT batch, vote_count FROM numbered;
