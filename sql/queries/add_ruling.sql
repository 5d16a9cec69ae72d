-- Record what a lead decided. The same as the newest ruling on the category is that one, sent again: nothing is returned.
INSERT INTO rulings (kind, category, clip_id, labels, answer, annotator, reason, person)
SELECT
    %(kind)s::text, %(category)s::text, %(clip_id)s::text, %(labels)s::text, %(answer)s::text, %(annotator)s::text,
    %(reason)s::text, %(person)s::text
WHERE NOT EXISTS (
    SELECT
    FROM (SELECT * FROM rulings WHERE category = %(category)s::text ORDER BY ruling DESC LIMIT 1) AS r
    WHERE
        (r.kind, r.clip_id, r.labels, r.answer, r.annotator, r.reason, r.person) IS NOT DISTINCT FROM (
            %(kind)s::text, %(clip_id)s::text, %(labels)s::text, %(answer)s::text, %(annotator)s::text,
            %(reason)s::text, %(person)s::text
        )
)
RETURNING ruling;
