-- Close a batch: remember that a person is shown the gold among the answers since the last time. Nothing is kept where they
-- are fewer than wanted, or hold no gold. Returns when the batch began and how many answers it has.
WITH past AS (
    SELECT coalesce(max(shown_at), '-infinity') AS began
    FROM feedbacks
    WHERE annotator = %(annotator)s::text AND category = %(category)s::text
), batch AS (
    SELECT v.clip_id
    FROM votes AS v
    WHERE
        v.annotator = %(annotator)s::text AND v.category = %(category)s::text
        AND v.cast_at > (SELECT began FROM past) AND v.supersedes IS NULL
)
INSERT INTO feedbacks (annotator, category, answers)
SELECT %(annotator)s::text, %(category)s::text, count(*)
FROM batch
HAVING
    count(*) >= %(answers_least)s::integer
    AND count(*) FILTER (
        WHERE EXISTS (
            SELECT FROM known_answers AS k
            WHERE k.clip_id = batch.clip_id AND k.category = %(category)s::text AND k.purpose = 'gold'
        )
    ) > 0
RETURNING shown_at, answers, (SELECT began FROM past) AS began;
