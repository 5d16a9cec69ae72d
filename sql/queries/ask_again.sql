-- Ask a second person about clips whose one answer all else contradicts. The label stands meanwhile. A clip that is asked
-- again already, or has more answers, stays as it is.
UPDATE queue AS q
SET votes_wanted = q.votes_wanted + 1, state = 'open', again = true
FROM unnest(%(clip_ids)s::text[], %(categories)s::text[]) AS a (clip_id, category)
WHERE
    q.clip_id = a.clip_id AND q.category = a.category AND q.state = 'finished' AND NOT q.again AND q.votes_wanted = 1;
