-- Forget which name a pseudonym stood for; one that nothing got is deleted.
WITH gone AS (
    DELETE FROM forgotten
    WHERE
        name = %(name)s::text AND NOT %(stays)s::boolean
        AND NOT EXISTS (SELECT FROM annotators AS a WHERE a.annotator = forgotten.pseudonym)
    RETURNING pseudonym
)
UPDATE forgotten SET name = NULL, done_at = now()
WHERE name = %(name)s::text AND pseudonym NOT IN (SELECT pseudonym FROM gone);
