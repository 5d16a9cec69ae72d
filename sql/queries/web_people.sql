-- What the newest labels say of every person over all categories: flagged people first, then by name.
SELECT annotator, labels, answers, sensitivity, specificity, gold, gold_right, seconds, drift, flags
FROM annotator_quality
WHERE category IS NULL
ORDER BY cardinality(flags) = 0, annotator;
