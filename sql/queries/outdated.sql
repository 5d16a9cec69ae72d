-- Partitions of these datasets whose inputs hold other rows now than those that they were made from; of one window only,
-- where a window is given. An input that was made again with the same rows changes nothing.
SELECT DISTINCT made.dataset, made.keys
FROM current_datasets AS made
CROSS JOIN LATERAL jsonb_each_text(made.made_from) AS used (address, mark)
INNER JOIN current_datasets AS input ON input.address = used.address AND input.mark <> used.mark
LEFT JOIN datasets AS before ON before.address = used.address AND before.mark = used.mark
WHERE
    made.dataset = ANY(%(datasets)s::text[])
    AND (%(window)s::text IS NULL OR made.keys ->> 'window' = %(window)s::text)
    AND before.contents IS DISTINCT FROM input.contents
ORDER BY made.dataset, made.keys;
