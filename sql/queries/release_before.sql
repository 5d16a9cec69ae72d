-- The release before this one; where this one is new, the newest.
SELECT r.release
FROM releases AS r
WHERE r.ordinal < coalesce((SELECT o.ordinal FROM releases AS o WHERE o.release = %(release)s::text), 2147483647)
ORDER BY r.ordinal DESC
LIMIT 1;
