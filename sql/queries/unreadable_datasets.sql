-- Partitions whose newest generation is of a version before those that readers accept, by dataset and version.
SELECT made.dataset, made.version, count(DISTINCT made.keys) AS partitions
FROM unnest(%(datasets)s::text[], %(oldest)s::integer[]) AS readable (dataset, oldest)
INNER JOIN datasets AS made ON made.dataset = readable.dataset AND made.version < readable.oldest
WHERE
    NOT EXISTS (
        SELECT FROM datasets AS newer
        WHERE newer.dataset = made.dataset AND newer.keys = made.keys AND newer.version > made.version
    )
GROUP BY made.dataset, made.version
ORDER BY made.dataset, made.version;
