-- Where there is something to learn from: the windows in which training videos of these categories were admitted.
SELECT DISTINCT a.category, a."window"::text AS "window"
FROM admissions AS a
INNER JOIN videos AS v ON v.video_id = a.video_id
WHERE
    a.category = ANY(%(categories)s::text[]) AND v.split = 'training'
    AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = a.video_id)
ORDER BY a.category, "window";
