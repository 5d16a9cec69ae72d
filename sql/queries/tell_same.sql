-- Take back that two videos differ. Nothing happens where nobody said so, or where both were admitted since into groups
-- of their own: two splits would then show the same.
DELETE FROM told_apart AS t
WHERE
    t.video_id = least(%(video_id)s::text, %(other_id)s::text)
    AND t.other_id = greatest(%(video_id)s::text, %(other_id)s::text)
    AND NOT EXISTS (
        SELECT FROM videos AS v
        INNER JOIN videos AS o ON o.group_id <> v.group_id
        WHERE v.video_id = t.video_id AND o.video_id = t.other_id
    );
