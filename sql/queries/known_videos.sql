-- The named videos and all of their groups, as admitted, with the categories and windows that hold them.
SELECT v.video_id, v.group_id, v.split,
       array_agg(a.category ORDER BY a.category) AS categories,
       array_agg(a."window"::text ORDER BY a.category) AS windows
FROM videos AS v
JOIN admissions AS a USING (video_id)
WHERE v.group_id IN (SELECT group_id FROM videos WHERE video_id = ANY(%(videos)s::text[]))
GROUP BY v.video_id
ORDER BY v.admitted_at, v.video_id;
