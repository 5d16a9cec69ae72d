-- Which of these votes about segments are known.
SELECT vote_id::text FROM segment_votes WHERE vote_id = ANY(%(votes)s::uuid[]);
