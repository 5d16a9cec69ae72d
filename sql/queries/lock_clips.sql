-- Take a person, and the clips of a call of several answers or of a correction with those of the sets in which they were
-- answered, before the first is stored: in the order of all who take several clips, so that nobody waits for somebody who
-- waits for this call. The statements that follow see what was told to the person before.
WITH me AS (
    SELECT annotator FROM annotators WHERE annotator = %(annotator)s::text FOR KEY SHARE
), wanted AS (
    SELECT * FROM unnest(%(clip_ids)s::text[], %(categories)s::text[]) AS given (clip_id, category)
    UNION
    SELECT clip_id, category FROM votes WHERE set_id = ANY (%(set_ids)s::uuid[]) AND annotator = %(annotator)s::text
)
SELECT q.clip_id
FROM queue AS q
JOIN wanted USING (clip_id, category)
CROSS JOIN me
ORDER BY q.category COLLATE "C", q.clip_id COLLATE "C"
FOR NO KEY UPDATE OF q;
