-- The newest version of the labels that one of these datasets has.
SELECT max(keys ->> 'labels') AS labels FROM datasets WHERE dataset = ANY(%(datasets)s::text[]);
