-- Every clip of the queue that somebody answered.
SELECT
    q.clip_id, q.category, q.video_id, q.round, q.strategy, q.start_sec, q.end_sec, q.split, q.votes_wanted, q.state
FROM queue AS q
WHERE EXISTS (SELECT FROM votes AS v WHERE v.clip_id = q.clip_id AND v.category = q.category);
