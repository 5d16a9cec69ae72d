-- Remove the record of a generation that is about to be deleted from the store.
DELETE FROM datasets WHERE address = %(address)s::text AND generation = %(generation)s::integer;
