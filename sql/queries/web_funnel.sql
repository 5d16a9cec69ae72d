-- The funnel by category: videos admitted, clips asked, answered and finished, people's time, and the newest judgement.
-- The numbers are kept by the ledger; nothing is counted here.
SELECT
    c.category, c.name,
    coalesce(n.videos, 0) AS videos, coalesce(n.windows, 0) AS windows, coalesce(n.asked, 0) AS asked,
    coalesce(n.open, 0) AS open, coalesce(n.answered, 0) AS answered, coalesce(n.finished, 0) AS finished,
    coalesce(n.votes, 0) AS votes, coalesce(n.seconds, 0) AS seconds,
    j.standing,
    (SELECT count(*) FROM releases AS r WHERE c.category = ANY (r.categories)) AS releases
FROM categories AS c
LEFT JOIN current_counts AS n USING (category)
LEFT JOIN judgements AS j ON j.category = c.category AND j.labels = (SELECT max(labels) FROM verdicts)
WHERE c.retired_at IS NULL
ORDER BY c.name, c.category;
