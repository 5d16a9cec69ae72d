-- The categories of which clips are listed; with a person, those in which this person answered, the newest answer first.
SELECT c.category, c.name
FROM categories AS c
LEFT JOIN LATERAL (
    SELECT v.cast_at FROM votes AS v
    WHERE v.annotator = %(person)s::text AND v.category = c.category
    ORDER BY v.cast_at DESC
    LIMIT 1
) AS last ON TRUE
WHERE
    EXISTS (SELECT FROM clip_facets AS f WHERE f.category = c.category AND f.clips > 0)
    AND (%(person)s::text IS NULL OR last.cast_at IS NOT NULL)
ORDER BY last.cast_at DESC NULLS LAST, c.name, c.category;
