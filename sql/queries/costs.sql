-- What people gave for each category that is at work, and how many of its labels of any kind have a certificate.
SELECT
    c.category, coalesce(o.seconds, 0) AS seconds,
    (SELECT coalesce(sum(k.certified), 0) FROM label_kinds AS k WHERE k.category = c.category)::bigint AS certified
FROM categories AS c
LEFT JOIN label_costs AS o USING (category)
WHERE c.retired_at IS NULL
ORDER BY c.category;
