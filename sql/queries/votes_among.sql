-- Which of these votes are known.
SELECT vote_id::text FROM votes WHERE vote_id = ANY(%(votes)s::uuid[]);
