-- Inspections that found critical failures of a generation that is still the current one; of one dataset, whose newest
-- version alone counts, the caller asks apart.
SELECT e.keys, (e.dropped ->> 'critical')::integer AS failures
FROM current_datasets AS e
CROSS JOIN LATERAL jsonb_each_text(e.made_from) AS made (address, mark)
INNER JOIN current_datasets AS c ON made.address = c.address AND made.mark = c.mark
WHERE e.dataset = 'expectations' AND e.dropped ->> 'critical' IS NOT NULL AND e.keys ->> 'judged' <> %(apart)s::text
ORDER BY e.address;
