-- The newest version of the labels that one of these datasets has; given another version, the newest before that.
SELECT max(newest.labels) AS labels
FROM unnest(%(datasets)s::text[]) AS asked (dataset)
CROSS JOIN LATERAL (
    SELECT max(d.keys ->> 'labels') AS labels
    FROM datasets AS d
    WHERE
        d.dataset = asked.dataset AND d.keys ->> 'labels' IS NOT NULL
        AND (%(before)s::text IS NULL OR d.keys ->> 'labels' < %(before)s::text)
) AS newest;
