-- Leave a video out of every read and the queue from now on; one that is left out already stays as it is.
INSERT INTO tombstones (video_id, reason) VALUES (%(video_id)s::text, %(reason)s::text)
ON CONFLICT (video_id) DO NOTHING;
