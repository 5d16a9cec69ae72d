-- The votes of one batch, in the order cast.
SELECT
    v.vote_id::text, v.clip_id, v.category, q.round, v.annotator, v.answer, v.seconds, v.guideline_version, v.cast_at,
    v.supersedes::text, v.set_id::text
FROM batch_votes AS b
JOIN votes AS v USING (vote_id)
JOIN queue AS q USING (clip_id, category)
WHERE b.batch = %(batch)s::integer
ORDER BY v.cast_at, v.vote_id;
