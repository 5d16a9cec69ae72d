-- The fingerprints of some videos.
SELECT video_id, frame_hashes FROM videos WHERE video_id = ANY(%(videos)s::text[]);
