-- Where every seat of the category's panel has scored the clips; in one window only, where a window is given.
WITH seats AS (
    SELECT s.category, s.weights, count(*) OVER (PARTITION BY s.category) AS members
    FROM unnest(%(categories)s::text[], %(weights)s::text[]) AS s (category, weights)
),

scores AS (
    SELECT DISTINCT d.keys ->> 'category' AS category, d.keys ->> 'window' AS "window", d.keys ->> 'weights' AS weights
    FROM datasets AS d
    WHERE
        d.dataset = 'scores' AND d.version = ANY(%(scores)s::integer[])
        AND (%(window)s::text IS NULL OR d.keys ->> 'window' = %(window)s::text)
),

clips AS (
    SELECT DISTINCT d.keys ->> 'category' AS category, d.keys ->> 'window' AS "window"
    FROM datasets AS d
    WHERE
        d.dataset = 'clips' AND d.version = ANY(%(clips)s::integer[])
        AND (%(window)s::text IS NULL OR d.keys ->> 'window' = %(window)s::text)
)

SELECT d.category, d."window"
FROM scores AS d
INNER JOIN seats AS s ON s.category = d.category AND s.weights = d.weights
INNER JOIN clips AS c ON c.category = d.category AND c."window" = d."window"
GROUP BY d.category, d."window"
HAVING count(*) = min(s.members);
