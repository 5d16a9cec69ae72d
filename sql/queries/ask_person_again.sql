-- Ask one more person about the clips that somebody answered on a day (UTC), but for those that a lead settled or sent back
-- last, that are asked again already, or that were withdrawn. They are taken in the order in which answers are stored.
WITH answered AS (
    SELECT q.clip_id, q.category
    FROM queue AS q
    JOIN votes AS v USING (clip_id, category)
    WHERE
        v.annotator = %(annotator)s::text AND v.category = %(category)s::text AND v.supersedes IS NULL
        AND v.cast_at >= %(day)s::date::timestamp AT TIME ZONE 'UTC'
        AND v.cast_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
        AND q.state <> 'withdrawn' AND NOT q.again
        AND NOT EXISTS (
            SELECT FROM rulings AS r
            WHERE r.clip_id = q.clip_id AND r.category = q.category AND r.kind IN ('settle', 'return')
            OFFSET 0
        )
    ORDER BY q.clip_id COLLATE "C"
    FOR NO KEY UPDATE OF q
)
UPDATE queue AS q
SET state = 'open', again = true, votes_wanted = greatest(q.votes_wanted, q.taken + 1)
FROM answered AS a
WHERE q.clip_id = a.clip_id AND q.category = a.category;
