-- Categories that the newest judged labels refuse, for reasons on which no decision of a person stands.
SELECT category, labels, reasons
FROM judgements
WHERE labels = (SELECT max(labels) FROM verdicts) AND standing = 'undecided'
ORDER BY category;
