-- Where every seat of the category's panel has scored the clips; in one window only, where a window is given.
WITH seats AS (
    SELECT s.category, s.weights, count(*) OVER (PARTITION BY s.category) AS members
    FROM unnest(%(categories)s::text[], %(weights)s::text[]) AS s (category, weights)
),

scored AS (
    SELECT d.keys ->> 'category' AS category, d.keys ->> 'window' AS "window", d.keys ->> 'weights' AS weights
    FROM datasets AS d
    WHERE
        d.dataset = 'scores' AND d.version = ANY(%(scores)s::integer[])
        AND (%(window)s::text IS NULL OR d.keys ->> 'window' = %(window)s::text)
)

SELECT d.category, d."window"
FROM scored AS d
INNER JOIN seats AS s ON s.category = d.category AND s.weights = d.weights
WHERE EXISTS (
    SELECT FROM datasets AS c
    WHERE
        c.dataset = 'clips' AND c.version = ANY(%(clips)s::integer[])
        AND c.keys = jsonb_build_object('category', d.category, 'window', d."window")
)
GROUP BY d.category, d."window"
HAVING count(DISTINCT d.weights) = min(s.members);
