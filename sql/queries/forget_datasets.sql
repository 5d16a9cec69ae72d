-- Forget generations that the store does not hold any more.
DELETE FROM datasets AS d
USING unnest(%(address)s::text[], %(generation)s::integer[]) AS gone (address, generation)
WHERE d.address = gone.address AND d.generation = gone.generation;
