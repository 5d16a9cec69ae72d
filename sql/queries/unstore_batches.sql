-- Have `sync` write the batches again that the store holds no more.
UPDATE batches SET is_stored = false WHERE is_stored AND batch <> ALL (%(stored)s::integer[]) RETURNING batch;
