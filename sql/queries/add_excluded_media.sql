-- Register a video of another benchmark by what it shows; one that is registered already stays as it is.
INSERT INTO excluded_media (video_id, benchmark, name, frame_hashes, key_hashes)
VALUES (%(video_id)s::text, %(benchmark)s::text, %(name)s::text, %(frame_hashes)s::bigint[], %(key_hashes)s::bytea)
ON CONFLICT (video_id) DO NOTHING;
