-- Superseded generations from which a current one was made, and which hold the same rows as the current one of theirs:
-- without them, what was made from them would seem to be made from other rows.
SELECT DISTINCT before.address, before.generation
FROM current_datasets AS made
CROSS JOIN LATERAL jsonb_each_text(made.made_from) AS named (address, mark)
INNER JOIN datasets AS before ON before.address = named.address AND before.mark = named.mark
INNER JOIN current_datasets AS input ON input.address = before.address
WHERE before.generation < input.generation AND before.contents = input.contents;
