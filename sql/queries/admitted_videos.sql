-- Every video in the dataset, with what a newcomer is compared with, in the order of admission.
SELECT v.video_id, v.group_id, v.split, v.frame_hashes, a.category, a."window", a.candidate_id
FROM videos AS v
JOIN admissions AS a ON a.video_id = v.video_id
ORDER BY v.admitted_at, v.video_id, a.category;
