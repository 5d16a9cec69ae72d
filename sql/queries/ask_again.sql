-- Ask a second person about clips whose one answer all else contradicts. The label stands meanwhile. A clip that is asked
-- again already, has more answers or was settled by a lead stays as it is. The clips are taken in the order in which
-- answers are stored.
WITH taken AS (
    SELECT q.clip_id, q.category
    FROM queue AS q
    JOIN unnest(%(clip_ids)s::text[], %(categories)s::text[]) AS a (clip_id, category) USING (clip_id, category)
    WHERE
        q.state = 'finished' AND NOT q.again AND q.votes_wanted = 1
        AND NOT EXISTS (
            SELECT FROM rulings AS r
            WHERE r.clip_id = q.clip_id AND r.category = q.category AND r.kind = 'settle'
            OFFSET 0
        )
    ORDER BY q.category COLLATE "C", q.clip_id COLLATE "C"
    FOR NO KEY UPDATE OF q
)
UPDATE queue AS q
SET votes_wanted = q.votes_wanted + 1, state = 'open', again = true
FROM taken
WHERE q.clip_id = taken.clip_id AND q.category = taken.category;
