-- The newest release.
SELECT release, ordinal, labels, label_count, categories, released_at FROM releases ORDER BY ordinal DESC LIMIT 1;
