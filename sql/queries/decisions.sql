-- The newest decision of a person on each category that was not accepted, of a version of the labels, and whether it still stands.
SELECT category, decided_labels AS labels, decision, decision_reason AS reason, person, decided_at, stands
FROM judgements
WHERE labels = %(labels)s::text AND decision IS NOT NULL
ORDER BY category;
