-- The votes that the batches up to one hold on these clips: first answers and corrections, each by an index of its own.
WITH asked AS (
    SELECT clip_id, category FROM unnest(%(clip_ids)s::text[], %(categories)s::text[]) AS a (clip_id, category)
), found AS (
    SELECT v.* FROM asked AS a JOIN votes AS v USING (clip_id, category) WHERE v.supersedes IS NULL
    UNION ALL
    SELECT v.* FROM asked AS a JOIN votes AS v USING (clip_id, category) WHERE v.supersedes IS NOT NULL
)
SELECT f.vote_id::text, f.clip_id, f.category, f.annotator, f.answer, f.seconds, f.cast_at, f.supersedes::text, f.set_id::text
FROM found AS f
JOIN batch_votes AS b USING (vote_id)
WHERE b.batch <= %(until)s::integer;
