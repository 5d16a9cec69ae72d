-- What leads ruled, the newest first: of everything, of a category, or on one clip.
SELECT r.ruling, r.kind, r.category, c.name, r.clip_id, r.answer, r.annotator, r.labels, r.reason, r.person, r.ruled_at
FROM rulings AS r
JOIN categories AS c USING (category)
WHERE
    (%(category)s::text IS NULL OR r.category = %(category)s::text)
    AND (%(clip_id)s::text IS NULL OR r.clip_id = %(clip_id)s::text)
ORDER BY r.ruling DESC
LIMIT %(most)s::integer;
