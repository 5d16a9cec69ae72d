-- Ask one person more about some finished clips of a category, those of the fewest answers first. Their labels stand
-- meanwhile. Returns which.
UPDATE queue AS q
SET votes_wanted = greatest(q.votes_wanted, q.taken) + 1, state = 'open', again = true
FROM (
    SELECT f.clip_id, f.category
    FROM live_queue AS f
    WHERE f.category = %(category)s::text AND f.state = 'finished' AND NOT f.again
    ORDER BY f.taken, f.place
    LIMIT %(clips_most)s::integer
) AS chosen
WHERE (q.clip_id, q.category) = (chosen.clip_id, chosen.category)
RETURNING q.clip_id;
