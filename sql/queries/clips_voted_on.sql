-- Clips on which the batches after one and up to another hold votes.
SELECT DISTINCT v.clip_id, v.category
FROM batch_votes AS b
JOIN votes AS v USING (vote_id)
WHERE b.batch > %(after)s::integer AND b.batch <= %(until)s::integer;
