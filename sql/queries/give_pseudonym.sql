-- Let everything that a person said be the pseudonym's, and drop what nobody else can use; how many votes and
-- words of an expert it was.
WITH of_votes AS (
    UPDATE votes SET annotator = %(pseudonym)s::text WHERE annotator = %(name)s::text RETURNING 1
), of_segment_votes AS (
    UPDATE segment_votes SET annotator = %(pseudonym)s::text WHERE annotator = %(name)s::text RETURNING 1
), of_gold_segments AS (
    UPDATE gold_segments SET person = %(pseudonym)s::text WHERE person = %(name)s::text RETURNING 1
), of_quality AS (
    UPDATE annotator_quality SET annotator = %(pseudonym)s::text WHERE annotator = %(name)s::text
), of_gold AS (
    UPDATE known_answers SET person = %(pseudonym)s::text WHERE person = %(name)s::text RETURNING 1
), of_pairs AS (
    UPDATE told_apart SET person = %(pseudonym)s::text WHERE person = %(name)s::text RETURNING 1
), of_decisions AS (
    UPDATE decisions SET person = %(pseudonym)s::text WHERE person = %(name)s::text RETURNING 1
), of_rulings AS (
    UPDATE rulings
    SET
        person = CASE person WHEN %(name)s::text THEN %(pseudonym)s::text ELSE person END,
        annotator = CASE annotator WHEN %(name)s::text THEN %(pseudonym)s::text ELSE annotator END
    WHERE %(name)s::text IN (person, annotator)
    RETURNING 1
), of_flags AS (
    UPDATE flags SET annotator = %(pseudonym)s::text WHERE annotator = %(name)s::text
), of_feedbacks AS (
    DELETE FROM feedbacks WHERE annotator = %(name)s::text
), of_sessions AS (
    DELETE FROM sessions WHERE annotator = %(name)s::text
), of_lapsed AS (
    DELETE FROM lapsed_leases WHERE annotator = %(name)s::text
)
SELECT
    (SELECT count(*) FROM of_votes) + (SELECT count(*) FROM of_segment_votes) AS votes,
    (SELECT count(*) FROM of_gold) + (SELECT count(*) FROM of_gold_segments) + (SELECT count(*) FROM of_pairs)
    + (SELECT count(*) FROM of_decisions) + (SELECT count(*) FROM of_rulings) AS words;
