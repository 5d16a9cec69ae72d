-- Releases whose network has not been decided on, the oldest first.
SELECT r.release
FROM releases AS r
WHERE NOT EXISTS (SELECT 1 FROM promotions AS p WHERE p.release = r.release)
ORDER BY r.ordinal;
