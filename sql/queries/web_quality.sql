-- The newest verdict on each category, with its reasons and a person's decision on it; null where none was made.
SELECT c.category, c.name, j.labels, j.verdict, j.reasons, j.judged_at,
       d.decision, d.reason AS decision_reason, d.person, d.decided_at
  FROM categories c
  LEFT JOIN LATERAL (
        SELECT v.labels, v.verdict, v.reasons, v.judged_at
          FROM verdicts v
         WHERE v.category = c.category
         ORDER BY v.labels DESC
         LIMIT 1
       ) j ON true
  LEFT JOIN decisions d ON d.category = c.category AND d.labels = j.labels
 ORDER BY CASE j.verdict WHEN 'refused' THEN 0 WHEN 'accepted' THEN 1 WHEN 'pending' THEN 2 ELSE 3 END, c.name, c.category;
