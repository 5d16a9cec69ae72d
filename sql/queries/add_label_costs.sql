-- Count, by category, what people gave for a version of the labels: answers and seconds, and how often the first two
-- answers to a clip that was drawn by lot differ. A corrected answer counts as corrected, where the first one stood, and
-- its time as spent.
INSERT INTO label_costs (category, labels, answers, seconds, twice, differ)
WITH given AS (
    SELECT v.vote_id, v.clip_id, v.category, v.annotator, v.answer, v.seconds, v.supersedes, v.cast_at
    FROM votes AS v
    JOIN batch_votes AS b USING (vote_id)
    WHERE b.batch <= %(labels)s::integer
), spent AS (
    SELECT
        category, count(*) FILTER (WHERE supersedes IS NULL) AS answers, sum(counted_seconds(seconds)) AS seconds
    FROM given GROUP BY category
), drawn AS (
    SELECT
        g.category, g.clip_id, g.answer,
        row_number() OVER (PARTITION BY g.category, g.clip_id ORDER BY f.cast_at, f.vote_id) AS turn
    FROM given AS g
    JOIN live_queue AS q USING (clip_id, category)
    JOIN given AS f USING (clip_id, category, annotator)
    WHERE
        q.strategy = 'random' AND g.answer IN ('yes', 'no') AND f.supersedes IS NULL
        AND NOT EXISTS (SELECT FROM given AS later WHERE later.supersedes = g.vote_id)
), pairs AS (
    SELECT category, min(answer) <> max(answer) AS differs
    FROM drawn WHERE turn <= 2 GROUP BY category, clip_id HAVING count(*) = 2
), compared AS (
    SELECT category, count(*) AS twice, count(*) FILTER (WHERE differs) AS differ FROM pairs GROUP BY category
)
SELECT
    s.category, %(labels)s::text, s.answers, s.seconds, coalesce(c.twice, 0), coalesce(c.differ, 0)
FROM spent AS s
LEFT JOIN compared AS c USING (category);
