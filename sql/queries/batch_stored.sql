-- Record that the votes of a batch are in the store.
UPDATE batches SET is_stored = true WHERE batch = %(batch)s::integer AND NOT is_stored;
