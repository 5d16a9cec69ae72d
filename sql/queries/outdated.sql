-- Partitions of these datasets whose inputs hold other rows now than those that they were made from; of one window only,
-- where a window is given. An input that was made again with the same rows changes nothing.
SELECT DISTINCT made.dataset, made.keys
FROM datasets AS input
INNER JOIN datasets AS made ON made.made_from ? input.address
LEFT JOIN datasets AS before ON before.address = input.address AND before.mark = made.made_from ->> input.address
WHERE
    input.generation > 1
    AND NOT EXISTS (
        SELECT FROM datasets AS newer WHERE newer.address = input.address AND newer.generation > input.generation
    )
    AND made.dataset = ANY(%(datasets)s::text[])
    AND (%(window)s::text IS NULL OR made.keys ->> 'window' = %(window)s::text)
    AND NOT EXISTS (
        SELECT FROM datasets AS newer
        WHERE
            newer.dataset = made.dataset AND newer.keys = made.keys
            AND (newer.version, newer.generation) > (made.version, made.generation)
    )
    AND made.made_from ->> input.address <> input.mark
    AND before.contents IS DISTINCT FROM input.contents
ORDER BY made.dataset, made.keys;
