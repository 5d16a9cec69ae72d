-- What the newest labels say of every person over all categories: flagged people first, then by name. `hasty`: answers to
-- single clips that came before a person can have seen one, up to this moment.
SELECT
    annotator, labels, answers, sensitivity[1] AS sensitivity, sensitivity[2] AS sensitivity_low,
    sensitivity[3] AS sensitivity_high, specificity[1] AS specificity, specificity[2] AS specificity_low,
    specificity[3] AS specificity_high, gold, gold_right, seconds, drift, flags,
    set_gold, set_missed, set_miss_low, set_miss_high,
    (
        SELECT count(*) FROM votes AS v
        WHERE
            v.annotator = p.annotator AND v.set_id IS NULL AND v.supersedes IS NULL
            AND v.seconds < 0.5 AND v.seconds < %(hasty_sec)s::double precision
    ) AS hasty
FROM annotator_quality AS p
WHERE category IS NULL
ORDER BY cardinality(flags) = 0, annotator;
