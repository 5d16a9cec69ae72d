-- The newest judged versions of the labels, with how many categories were judged and how many accepted.
SELECT
    labels, max(judged_at) AS judged_at, count(*) AS categories,
    count(*) FILTER (WHERE verdict = 'accepted') AS accepted
FROM verdicts
WHERE labels >= coalesce(
    (
        SELECT min(n.labels)
        FROM (SELECT DISTINCT labels FROM verdicts ORDER BY labels DESC LIMIT %(most)s::integer) AS n
    ),
    ''
)
GROUP BY labels
ORDER BY labels DESC;
