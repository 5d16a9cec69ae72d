-- Take back what is in a person's hands: others may be asked. Clips come before hands, and in the order in which answers are
-- stored.
WITH held AS (
    SELECT q.clip_id, q.category
    FROM queue AS q
    JOIN leases AS l USING (clip_id, category)
    WHERE l.annotator = %(annotator)s::text
    ORDER BY q.category COLLATE "C", q.clip_id COLLATE "C"
    FOR NO KEY UPDATE OF q
), gone AS (
    DELETE FROM leases AS l
    USING held
    WHERE (l.clip_id, l.category, l.annotator) = (held.clip_id, held.category, %(annotator)s::text)
    RETURNING l.clip_id, l.category
)
UPDATE queue AS q
SET taken = q.taken - 1
FROM gone
WHERE (q.clip_id, q.category) = (gone.clip_id, gone.category);
