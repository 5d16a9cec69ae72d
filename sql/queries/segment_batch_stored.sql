-- Record that the votes about segments of a batch are in the store.
UPDATE segment_batches SET is_stored = true WHERE batch = %(batch)s::integer AND NOT is_stored;
