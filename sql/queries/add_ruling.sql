-- Record what a lead decided. The same as the newest ruling on the category is that one, sent again: nothing is returned.
-- One that changed something is none, nor is one that sends a clip back which is not asked again any more.
INSERT INTO rulings (kind, category, clip_id, labels, answer, annotator, reason, person)
SELECT
    %(kind)s::text, %(category)s::text, %(clip_id)s::text, %(labels)s::text, %(answer)s::text, %(annotator)s::text,
    %(reason)s::text, %(person)s::text
WHERE %(changed)s::boolean OR NOT EXISTS (
    SELECT
    FROM (SELECT * FROM rulings WHERE category = %(category)s::text ORDER BY ruling DESC LIMIT 1) AS r
    WHERE
        (r.kind, r.clip_id, r.labels, r.answer, r.annotator, r.reason, r.person) IS NOT DISTINCT FROM (
            %(kind)s::text, %(clip_id)s::text, %(labels)s::text, %(answer)s::text, %(annotator)s::text,
            %(reason)s::text, %(person)s::text
        )
        AND NOT (
            r.kind = 'return'
            AND EXISTS (
                SELECT FROM queue AS q
                WHERE q.clip_id = r.clip_id AND q.category = r.category AND NOT q.again
            )
        )
)
RETURNING ruling;
