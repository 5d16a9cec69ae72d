-- Clips on which the batches up to one hold votes of these people.
SELECT DISTINCT v.clip_id, v.category
FROM votes AS v
JOIN batch_votes AS b USING (vote_id)
WHERE v.annotator = ANY (%(people)s::text[]) AND b.batch <= %(until)s::integer;
