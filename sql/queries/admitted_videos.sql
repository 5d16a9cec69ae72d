-- Every admitted video with its look-alike group and its split.
SELECT video_id, group_id, split FROM videos ORDER BY video_id;
