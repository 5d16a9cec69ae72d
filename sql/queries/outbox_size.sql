-- How many votes, about clips and about segments, and rulings on clips' labels no batch holds yet.
SELECT
    (SELECT count(*) FROM outbox) + (SELECT count(*) FROM segment_outbox)
    + (
        SELECT count(*) FROM rulings AS r
        WHERE
            r.kind IN ('settle', 'return') AND NOT EXISTS (SELECT FROM batch_rulings AS b WHERE b.ruling = r.ruling)
    ) AS votes;
