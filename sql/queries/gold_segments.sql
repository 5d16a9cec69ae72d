-- Every segment of which the ends are known; no ends: the action is not there.
SELECT segment_id, start_sec, end_sec FROM gold_segments ORDER BY segment_id;
