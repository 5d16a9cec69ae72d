-- Put other words in the place of a reason, wherever it was given.
WITH of_rulings AS (
    UPDATE rulings SET reason = %(other)s::text WHERE reason = %(reason)s::text
), of_decisions AS (
    UPDATE decisions SET reason = %(other)s::text WHERE reason = %(reason)s::text
)
UPDATE told_apart SET reason = %(other)s::text WHERE reason = %(reason)s::text;
