-- Categories that a release may hold: the gate accepts their labels of this version, or a person's approval stands.
SELECT category
FROM judgements
JOIN categories AS c USING (category)
WHERE labels = %(labels)s::text AND standing IN ('accepted', 'approved') AND c.retired_at IS NULL
ORDER BY category;
