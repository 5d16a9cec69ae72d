-- The newest release.
SELECT release, labels, label_count, categories, released_at, version, content, previous, withdrawn
FROM releases ORDER BY ordinal DESC LIMIT 1;
