-- The votes about segments up to a batch that no vote up to it supersedes, in the order in which the first vote of each
-- chain of corrections was cast.
WITH RECURSIVE known AS (
    SELECT v.*
    FROM segment_votes AS v
    JOIN segment_batch_votes AS b USING (vote_id)
    WHERE b.batch <= %(until)s::integer
), chains AS (
    SELECT k.vote_id, k.vote_id AS first_id, k.cast_at AS first_at FROM known AS k WHERE k.supersedes IS NULL
    UNION ALL
    SELECT k.vote_id, c.first_id, c.first_at FROM known AS k JOIN chains AS c ON k.supersedes = c.vote_id
)
SELECT
    k.vote_id::text, k.segment_id, k.annotator, k.answer, k.start_sec, k.end_sec, k.seconds
FROM known AS k
JOIN chains AS c USING (vote_id)
WHERE NOT EXISTS (SELECT FROM known AS later WHERE later.supersedes = k.vote_id)
ORDER BY c.first_at, c.first_id;
