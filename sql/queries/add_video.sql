-- Admit a video, once; one that was admitted without a fingerprint gets it.
INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes, key_hashes)
VALUES (%(video_id)s::text, %(media_sha256)s::text, %(group_id)s::text, %(split)s::text, %(frame_hashes)s::bigint[],
        %(key_hashes)s::bytea)
ON CONFLICT (video_id) DO UPDATE SET frame_hashes = EXCLUDED.frame_hashes, key_hashes = EXCLUDED.key_hashes
WHERE videos.frame_hashes = '{}';
