-- Categories that the newest judged labels refuse and on which no person has decided yet.
SELECT v.category, v.labels, v.reasons
FROM verdicts AS v
WHERE
    v.labels = (SELECT max(labels) FROM verdicts)
    AND v.verdict = 'refused'
    AND NOT EXISTS (SELECT 1 FROM decisions AS d WHERE d.category = v.category)
ORDER BY v.category;
