-- Those of the given votes that the ledger holds, with what was answered, and whether it is known where they come from.
SELECT
    v.vote_id::text, v.answer,
    EXISTS (SELECT FROM vote_origins AS o WHERE o.vote_id = v.vote_id) AS has_origin
FROM votes AS v
WHERE v.vote_id = ANY (%(vote_ids)s::uuid[]);
