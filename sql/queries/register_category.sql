-- Register a category or rename it; another guideline raises the guideline's version, none leaves it as it is.
INSERT INTO categories AS c (category, name, guideline)
VALUES (%(category)s::text, %(name)s::text, coalesce(%(guideline)s::text, ''))
ON CONFLICT (category) DO UPDATE
SET
    name = excluded.name,
    guideline = coalesce(%(guideline)s::text, c.guideline),
    guideline_version = c.guideline_version + (coalesce(%(guideline)s::text, c.guideline) <> c.guideline)::integer;
