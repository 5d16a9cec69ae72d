-- Admit a video, once; one that was admitted without a fingerprint gets it, and its rendition is the one in use.
INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes, key_hashes, proxy_256)
VALUES (%(video_id)s::text, %(media_sha256)s::text, %(group_id)s::text, %(split)s::text, %(frame_hashes)s::bigint[],
        %(key_hashes)s::bytea, %(proxy_256)s::text)
ON CONFLICT (video_id) DO UPDATE SET
    frame_hashes = CASE videos.frame_hashes WHEN '{}' THEN excluded.frame_hashes ELSE videos.frame_hashes END,
    key_hashes = CASE videos.frame_hashes WHEN '{}' THEN excluded.key_hashes ELSE videos.key_hashes END,
    proxy_256 = excluded.proxy_256
WHERE videos.frame_hashes = '{}' OR videos.proxy_256 IS DISTINCT FROM excluded.proxy_256;
