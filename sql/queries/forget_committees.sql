-- Forget committees, and what was decided of the releases whose network joined one: it is decided again.
WITH undone AS (
    DELETE FROM promotions WHERE committee = ANY(%(committees)s::text[])
)
DELETE FROM committees WHERE committee = ANY(%(committees)s::text[]);
