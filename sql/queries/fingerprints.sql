-- The fingerprints of some videos, admitted or excluded.
SELECT video_id, frame_hashes FROM videos WHERE video_id = ANY(%(videos)s::text[])
UNION ALL
SELECT video_id, frame_hashes FROM excluded_media AS e
WHERE video_id = ANY(%(videos)s::text[]) AND NOT EXISTS (SELECT FROM videos AS v WHERE v.video_id = e.video_id);
