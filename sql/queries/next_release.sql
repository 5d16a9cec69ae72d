-- The name of the next release: a number after that of the newest one which no release has, whoever named it. A release
-- whose name is taken would be found finished, and nothing would ever be released again.
WITH counted AS (
    SELECT coalesce(max(ordinal), 0) AS newest, count(*) AS releases FROM releases
), named AS (
    SELECT n, 'r' || lpad(n::text, greatest(4, length(n::text)), '0') AS release
    FROM counted
    CROSS JOIN LATERAL generate_series(newest + 1, newest + releases + 1) AS n
)
SELECT release FROM named WHERE NOT EXISTS (SELECT FROM releases AS r WHERE r.release = named.release) ORDER BY n LIMIT 1;
