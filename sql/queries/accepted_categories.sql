-- Categories whose labels of this version the gate accepted, or that a person approved after a refusal.
SELECT v.category
FROM verdicts AS v
WHERE
    v.labels = %(labels)s::text
    AND (
        v.verdict = 'accepted'
        OR (
            v.verdict = 'refused'
            AND (
                SELECT d.decision FROM decisions AS d
                WHERE d.category = v.category ORDER BY d.decided_at DESC LIMIT 1
            ) = 'approve'
        )
    )
ORDER BY v.category;
