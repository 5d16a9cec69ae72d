-- Register a category; a known one keeps its key, and a changed guideline raises its version. NULL leaves it alone.
INSERT INTO categories AS known (category, name, guideline)
VALUES (%(category)s::text, %(name)s::text, coalesce(%(guideline)s::text, ''))
ON CONFLICT (category) DO UPDATE SET
    name = excluded.name,
    guideline = coalesce(%(guideline)s::text, known.guideline),
    guideline_version = known.guideline_version
        + CASE WHEN known.guideline IS DISTINCT FROM coalesce(%(guideline)s::text, known.guideline) THEN 1 ELSE 0 END;
