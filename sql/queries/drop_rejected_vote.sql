-- Forget an answer from elsewhere that is no vote.
DELETE FROM rejected_votes WHERE source = %(source)s::text AND item = %(item)s::text;
