-- Move every committed vote from the outbox into the next batch. No votes: no batch. A vote that commits later is in the
-- outbox later. Numbers that the store holds already, from a ledger that was lost, are passed over.
WITH taken AS (
    DELETE FROM outbox RETURNING vote_id
), numbered AS (
    INSERT INTO batches (batch, vote_count)
    SELECT greatest(coalesce((SELECT max(batch) FROM batches), 0), %(newest_stored)s::integer) + 1, count(*)
    FROM taken
    HAVING count(*) > 0
    RETURNING batch, vote_count
), placed AS (
    INSERT INTO batch_votes (vote_id, batch) SELECT t.vote_id, n.batch FROM taken AS t CROSS JOIN numbered AS n
)
SELECT batch, vote_count FROM numbered;
