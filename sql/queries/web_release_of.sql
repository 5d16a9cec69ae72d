-- The newest release that holds a category, and how many labels it has.
SELECT release, version, label_count
FROM releases
WHERE %(category)s::text = ANY (categories)
ORDER BY ordinal DESC
LIMIT 1;
