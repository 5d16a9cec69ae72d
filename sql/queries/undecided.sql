-- Categories that the newest judged labels refuse, for reasons on which no decision of a person stands.
SELECT category, c.name, labels, reasons
FROM judgements
JOIN categories AS c USING (category)
WHERE labels = (SELECT max(labels) FROM verdicts) AND standing = 'undecided' AND c.retired_at IS NULL
ORDER BY category;
