-- Clips of these videos on which the batches up to one hold votes.
SELECT DISTINCT v.clip_id, v.category
FROM queue AS q
JOIN votes AS v USING (clip_id, category)
JOIN batch_votes AS b USING (vote_id)
WHERE q.video_id = ANY (%(videos)s::text[]) AND b.batch <= %(until)s::integer;
