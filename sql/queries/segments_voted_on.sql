-- The segments with votes up to a batch, without those of withdrawn videos, and their gold where there is some.
SELECT
    s.segment_id, s.category, s.video_id, s.split, s.start_sec, s.end_sec, s.score, s.origin, s.round,
    s.votes_wanted, s.state, g.segment_id IS NOT NULL AS is_gold, g.start_sec AS gold_start_sec,
    g.end_sec AS gold_end_sec
FROM live_segments AS s
LEFT JOIN gold_segments AS g USING (segment_id)
WHERE EXISTS (
    SELECT FROM segment_votes AS v
    JOIN segment_batch_votes AS b USING (vote_id)
    WHERE v.segment_id = s.segment_id AND b.batch <= %(until)s::integer
)
ORDER BY s.category, s.video_id, s.start_sec, s.end_sec;
