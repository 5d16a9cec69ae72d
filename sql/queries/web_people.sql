-- What the newest labels say of every person over all categories: flagged people first, then by name.
SELECT
    annotator, labels, answers, sensitivity[1] AS sensitivity, sensitivity[2] AS sensitivity_low,
    sensitivity[3] AS sensitivity_high, specificity[1] AS specificity, specificity[2] AS specificity_low,
    specificity[3] AS specificity_high, gold, gold_right, seconds, drift, flags,
    set_gold, set_missed, set_miss_low, set_miss_high
FROM annotator_quality
WHERE category IS NULL
ORDER BY cardinality(flags) = 0, annotator;
