-- Admit a video, once.
INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes)
VALUES (%(video_id)s::text, %(media_sha256)s::text, %(group_id)s::text, %(split)s::text, %(frame_hashes)s::bigint[])
ON CONFLICT (video_id) DO NOTHING;
