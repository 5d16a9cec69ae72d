-- Batches of votes after one and up to another, oldest first.
SELECT batch FROM batches
WHERE batch > %(after)s::integer AND batch <= %(until)s::integer
ORDER BY batch;
