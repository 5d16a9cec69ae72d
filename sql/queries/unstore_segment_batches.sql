-- Have `sync` write the batches of votes about segments again that the store holds no more.
UPDATE segment_batches SET is_stored = false WHERE is_stored AND batch <> ALL (%(stored)s::integer[]) RETURNING batch;
