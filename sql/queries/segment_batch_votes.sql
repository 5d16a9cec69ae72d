-- The votes about segments of one batch, in the order cast.
SELECT
    v.vote_id::text, v.segment_id, s.category, s.round, v.annotator, v.answer, v.start_sec, v.end_sec, v.seconds,
    v.guideline_version, v.cast_at, v.supersedes::text
FROM segment_batch_votes AS b
JOIN segment_votes AS v USING (vote_id)
JOIN segments AS s USING (segment_id)
WHERE b.batch = %(batch)s::integer
ORDER BY v.cast_at, v.vote_id;
