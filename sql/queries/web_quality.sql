-- What the newest judged labels say of each category, with reasons and a person's decision; null where nothing is said.
SELECT
    c.category, c.name, j.labels, j.verdict, j.reasons, j.judged_at, j.standing,
    j.decision, j.decision_reason, j.person, j.decided_at, j.decided_labels, j.stands
FROM categories AS c
LEFT JOIN judgements AS j ON j.category = c.category AND j.labels = (SELECT max(labels) FROM verdicts)
WHERE c.retired_at IS NULL
ORDER BY
    CASE j.standing
        WHEN 'undecided' THEN 0 WHEN 'rejected' THEN 1 WHEN 'approved' THEN 2 WHEN 'accepted' THEN 3 WHEN 'pending' THEN 4
        ELSE 5
    END,
    c.name, c.category;
