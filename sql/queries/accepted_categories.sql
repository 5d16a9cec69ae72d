-- Categories that a release may hold: the gate accepts their labels of this version, or a person's approval stands.
SELECT category FROM judgements
WHERE labels = %(labels)s::text AND standing IN ('accepted', 'approved')
ORDER BY category;
