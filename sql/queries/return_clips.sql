-- Take back what is in a person's hands: others may be asked.
WITH gone AS (
    DELETE FROM leases WHERE annotator = %(annotator)s::text RETURNING clip_id, category
)
UPDATE queue AS q
SET taken = q.taken - 1
FROM gone
WHERE (q.clip_id, q.category) = (gone.clip_id, gone.category);
