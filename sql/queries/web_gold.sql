-- How a person's answers agree with the gold clips of a category. Counted in whole steps of five: a number that moved
-- with one answer would tell which clip was gold.
WITH given AS (
    SELECT v.answer = k.answer AS agrees, row_number() OVER (ORDER BY v.cast_at, v.vote_id) AS number, count(*) OVER () AS asked
    FROM known_answers AS k
    JOIN votes AS v USING (clip_id, category)
    WHERE
        k.category = %(category)s::text AND k.purpose = 'gold' AND v.annotator = %(annotator)s::text
        AND v.answer IN ('yes', 'no')
        AND NOT EXISTS (SELECT FROM votes AS later WHERE later.supersedes = v.vote_id)
)
SELECT count(*) AS gold_asked, count(*) FILTER (WHERE agrees) AS gold_agreed
FROM given
WHERE number <= asked - asked %% 5;
