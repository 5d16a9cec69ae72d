-- What the index of look-alikes is built from, admitted and excluded videos, a page at a time.
SELECT video_id, key_hashes FROM videos WHERE video_id > %(after)s::text
UNION ALL
SELECT video_id, key_hashes FROM excluded_media AS e
WHERE video_id > %(after)s::text AND NOT EXISTS (SELECT FROM videos AS v WHERE v.video_id = e.video_id)
ORDER BY video_id
LIMIT %(size)s::integer;
