-- The current generations of these datasets that no inspection has judged, in the versions that readers accept; given
-- `again`, all of them.
WITH judged AS (
    SELECT made.address, made.mark
    FROM current_datasets AS e
    CROSS JOIN LATERAL jsonb_each_text(e.made_from) AS made (address, mark)
    WHERE e.dataset = 'expectations'
)
SELECT c.dataset, c.keys
FROM current_datasets AS c
INNER JOIN unnest(%(datasets)s::text[], %(versions)s::integer[]) AS asked (dataset, version)
    ON c.dataset = asked.dataset AND c.version = asked.version
LEFT JOIN judged AS j ON c.address = j.address AND c.mark = j.mark
WHERE j.address IS NULL OR %(again)s::boolean
ORDER BY c.address;
