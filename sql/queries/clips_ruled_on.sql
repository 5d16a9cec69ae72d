-- Clips on whose labels a lead ruled with the batches after one and up to another.
SELECT DISTINCT r.clip_id, r.category
FROM batch_rulings AS b
JOIN rulings AS r USING (ruling)
WHERE b.batch > %(after)s::integer AND b.batch <= %(until)s::integer;
