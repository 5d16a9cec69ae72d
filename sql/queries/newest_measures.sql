-- Of each category the newest dataset `measures`, up to a version of the labels, and what it was made from.
SELECT DISTINCT ON (keys ->> 'category')
    keys ->> 'category' AS category, keys ->> 'labels' AS labels, made_from, settings
FROM current_datasets
WHERE dataset = 'measures' AND version = ANY(%(versions)s::integer[]) AND keys ->> 'labels' <= %(until)s::text
ORDER BY keys ->> 'category', keys ->> 'labels' DESC;
