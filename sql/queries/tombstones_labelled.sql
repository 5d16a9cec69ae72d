-- Record the version of the labels that left these withdrawn videos out.
UPDATE tombstones
SET labels = %(labels)s::text
WHERE video_id = ANY (%(videos)s::text[]) AND labels IS NULL;
