-- How many items were set aside on the way to admission, by reason, the commonest first.
SELECT r.key AS reason, sum(r.value::bigint)::bigint AS items
FROM current_datasets AS d
CROSS JOIN LATERAL jsonb_each_text(d.dropped) AS r
WHERE d.dataset IN ('candidates', 'fetched', 'videos')
GROUP BY r.key
ORDER BY items DESC, reason;
