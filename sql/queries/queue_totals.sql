-- How many clips of each category were queued, wait, were finished and were withdrawn, and how many people answered.
SELECT
    q.category,
    count(*) AS queued,
    count(*) FILTER (WHERE q.state = 'open') AS waiting,
    count(*) FILTER (WHERE q.state = 'finished') AS finished,
    count(*) FILTER (WHERE q.state = 'withdrawn') AS withdrawn,
    (SELECT count(*) FROM votes AS v WHERE v.category = q.category) AS votes,
    (SELECT coalesce(sum(counted_seconds(v.seconds)), 0) FROM votes AS v WHERE v.category = q.category) AS seconds,
    (SELECT count(DISTINCT v.annotator) FROM votes AS v WHERE v.category = q.category) AS people
FROM queue AS q
GROUP BY q.category
ORDER BY q.category;
