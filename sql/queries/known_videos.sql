-- Every admitted video with its frames' hashes and the categories and windows that hold it, in order of admission.
SELECT v.video_id, v.group_id, v.split, v.frame_hashes,
       array_agg(a.category ORDER BY a.category) AS categories,
       array_agg(a."window"::text ORDER BY a.category) AS windows
FROM videos AS v
JOIN admissions AS a USING (video_id)
GROUP BY v.video_id
ORDER BY v.admitted_at, v.video_id;
