-- Which of these videos are admitted.
SELECT video_id FROM videos WHERE video_id = ANY(%(videos)s::text[]);
