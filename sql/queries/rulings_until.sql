-- What leads settled of a category's clips with the batches up to one; of several rulings on a clip the last one counts.
SELECT clip_id, category, answer
FROM (
    SELECT DISTINCT ON (r.clip_id) r.clip_id, r.category, r.kind, r.answer
    FROM rulings AS r
    JOIN batch_rulings AS b USING (ruling)
    WHERE
        r.category = %(category)s::text AND r.kind IN ('settle', 'return') AND b.batch <= %(until)s::integer
    ORDER BY r.clip_id, r.ruling DESC
) AS last
WHERE kind = 'settle';
