-- Forget the videos, and their admissions, whose group's first video is not known; the transaction could not end.
WITH gone AS (
    SELECT v.video_id FROM videos AS v WHERE NOT EXISTS (SELECT FROM videos AS g WHERE g.video_id = v.group_id)
), unadmitted AS (
    DELETE FROM admissions AS a USING gone AS g WHERE a.video_id = g.video_id
)
DELETE FROM videos AS v USING gone AS g WHERE v.video_id = g.video_id
RETURNING v.video_id;
