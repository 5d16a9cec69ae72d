-- What the index of look-alikes is built from, a page at a time.
SELECT video_id, key_hashes FROM videos
WHERE video_id > %(after)s::text
ORDER BY video_id
LIMIT %(size)s::integer;
