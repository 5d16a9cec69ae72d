-- Those of the given votes that the ledger holds.
SELECT vote_id::text FROM votes WHERE vote_id = ANY (%(vote_ids)s::uuid[]);
