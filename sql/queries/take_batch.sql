-- Move every committed vote from the outbox into the next batch, and with them what leads ruled on clips' labels. Nothing
-- of either: no batch. A vote that commits later is in the outbox later. Numbers that the store holds already, from a
-- ledger that was lost, are passed over.
WITH taken AS (
    DELETE FROM outbox RETURNING vote_id
), ruled AS (
    SELECT r.ruling FROM rulings AS r
    WHERE r.kind IN ('settle', 'return') AND NOT EXISTS (SELECT FROM batch_rulings AS b WHERE b.ruling = r.ruling)
), numbered AS (
    INSERT INTO batches (batch, vote_count)
    SELECT
        greatest(coalesce((SELECT max(batch) FROM batches), 0), %(newest_stored)s::integer) + 1,
        (SELECT count(*) FROM taken)
    WHERE EXISTS (SELECT FROM taken) OR EXISTS (SELECT FROM ruled)
    RETURNING batch, vote_count
), placed AS (
    INSERT INTO batch_votes (vote_id, batch) SELECT t.vote_id, n.batch FROM taken AS t CROSS JOIN numbered AS n
), ruled_in AS (
    INSERT INTO batch_rulings (ruling, batch) SELECT r.ruling, n.batch FROM ruled AS r CROSS JOIN numbered AS n
)
SELECT batch, vote_count FROM numbered;
