-- The newest decision of a person on each category; it stands for later versions of the labels.
SELECT DISTINCT ON (category) category, labels, decision, reason, person, decided_at
FROM decisions
ORDER BY category, decided_at DESC;
