-- The segments that people were or are asked about, for proposals that may be about the same.
SELECT segment_id, category, video_id, start_sec, end_sec FROM segments ORDER BY segment_id;
