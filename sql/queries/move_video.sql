-- Let a video that was withdrawn count as part of another group, so that what looks like it joins that one.
UPDATE videos SET group_id = %(group_id)s::text, split = %(split)s::text WHERE video_id = %(video_id)s::text;
