-- Ask one person more about some finished clips of a category, those of the fewest answers first. Their labels stand
-- meanwhile. Returns which. They are taken in the order in which answers are stored.
WITH chosen AS MATERIALIZED (
    SELECT f.clip_id, f.category
    FROM live_queue AS f
    WHERE f.category = %(category)s::text AND f.state = 'finished' AND NOT f.again
    ORDER BY f.taken, f.place
    LIMIT %(clips_most)s::integer
), taken AS (
    SELECT q.clip_id, q.category
    FROM queue AS q
    JOIN chosen USING (clip_id, category)
    ORDER BY q.clip_id COLLATE "C"
    FOR NO KEY UPDATE OF q
)
UPDATE queue AS q
SET votes_wanted = greatest(q.votes_wanted, q.taken) + 1, state = 'open', again = true
FROM taken AS t
WHERE (q.clip_id, q.category) = (t.clip_id, t.category)
RETURNING q.clip_id;
