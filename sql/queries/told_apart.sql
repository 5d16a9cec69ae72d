-- Every pair of which a person said that they differ, the newest first.
SELECT video_id, other_id, person, reason, since FROM told_apart ORDER BY since DESC, video_id, other_id;
