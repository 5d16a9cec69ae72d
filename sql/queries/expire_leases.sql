-- Take back clips that were handed out and not answered in time; the person may still answer them. Rows that somebody
-- works on at this moment are left for the next call, so that nobody waits for this and it waits for nobody.
WITH late AS (
    SELECT l.clip_id, l.category, l.annotator
    FROM leases AS l
    JOIN queue AS q USING (clip_id, category)
    WHERE l.expires_at < now()
    ORDER BY l.expires_at
    LIMIT 1000
    FOR NO KEY UPDATE OF l, q SKIP LOCKED
), gone AS (
    DELETE FROM leases AS l
    USING late
    WHERE (l.clip_id, l.category, l.annotator) = (late.clip_id, late.category, late.annotator) AND l.expires_at < now()
    RETURNING l.clip_id, l.category, l.annotator, l.set_id
), lapsed AS (
    INSERT INTO lapsed_leases (clip_id, category, annotator, set_id)
    SELECT clip_id, category, annotator, set_id FROM gone
    ON CONFLICT DO NOTHING
), hands AS (
    SELECT clip_id, category, count(*) AS hands FROM gone GROUP BY clip_id, category
)
UPDATE queue AS q
SET taken = q.taken - hands.hands
FROM hands
WHERE (q.clip_id, q.category) = (hands.clip_id, hands.category);
