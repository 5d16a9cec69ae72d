-- The votes that the batches up to one hold on the clips of a category, without those on withdrawn videos.
SELECT
    v.vote_id::text, v.clip_id, v.category, v.annotator, v.answer, v.seconds, v.cast_at, v.supersedes::text, v.set_id::text
FROM votes AS v
JOIN batch_votes AS b USING (vote_id)
JOIN live_queue AS q USING (clip_id, category)
WHERE v.category = %(category)s::text AND b.batch <= %(until)s::integer;
