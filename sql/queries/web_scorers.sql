-- The members that have scored the clips of a category and window, by the hash of their weights; the newest first.
SELECT keys ->> 'weights' AS weights
FROM current_datasets
WHERE
    dataset = 'scores' AND keys ->> 'category' = %(category)s::text AND keys ->> 'window' = %(window)s::text
ORDER BY written_at DESC
LIMIT %(most)s::integer;
