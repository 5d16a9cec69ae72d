-- Withdrawn videos whose labels no version has left out yet.
SELECT video_id FROM tombstones WHERE labels IS NULL ORDER BY video_id;
