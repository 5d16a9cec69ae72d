-- Admitted videos that go by a name: their own id, the SHA-256 of their bytes, or their source's name of them.
SELECT v.video_id FROM videos AS v WHERE v.video_id = %(named)s::text OR v.media_sha256 = %(named)s::text
UNION
SELECT a.video_id FROM admissions AS a WHERE a.source_id = %(named)s::text
ORDER BY video_id;
