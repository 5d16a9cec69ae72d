-- Close a batch: remember that a person is shown the gold among the answers since the last time. Nothing is kept where they
-- are fewer than wanted, or hold no gold. A batch that the person's page did not say it has shown is told again before a
-- new one is closed: the reply may have been lost. Returns when the batch began and ended, and how many answers it has.
WITH told AS (
    SELECT f.shown_at, f.answers, f.seen_at, lag(f.shown_at, 1, '-infinity') OVER (ORDER BY f.shown_at) AS began
    FROM feedbacks AS f
    WHERE f.annotator = %(annotator)s::text AND f.category = %(category)s::text
), unseen AS (
    SELECT shown_at, answers, began FROM told WHERE seen_at IS NULL ORDER BY shown_at LIMIT 1
), past AS (
    SELECT coalesce(max(shown_at), '-infinity') AS began FROM told
), batch AS (
    SELECT v.clip_id
    FROM votes AS v
    WHERE
        v.annotator = %(annotator)s::text AND v.category = %(category)s::text
        AND v.cast_at > (SELECT began FROM past) AND v.supersedes IS NULL
        AND NOT EXISTS (SELECT FROM unseen)
), closed AS (
    -- The moment at which nobody else had the person: a transaction begins before it waits.
    INSERT INTO feedbacks (annotator, category, answers, shown_at)
    SELECT %(annotator)s::text, %(category)s::text, count(*), clock_timestamp()
    FROM batch
    HAVING
        count(*) >= %(answers_least)s::integer
        AND count(*) FILTER (
            WHERE EXISTS (
                SELECT FROM known_answers AS k
                WHERE k.clip_id = batch.clip_id AND k.category = %(category)s::text AND k.purpose = 'gold'
            )
        ) > 0
    RETURNING shown_at, answers, (SELECT began FROM past) AS began
)
SELECT shown_at, answers, began FROM closed
UNION ALL
SELECT shown_at, answers, began FROM unseen;
