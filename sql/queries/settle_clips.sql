-- Say how many answers clips want and whether they wait for more; what was withdrawn stays withdrawn.
UPDATE queue AS q
SET votes_wanted = greatest(q.votes_wanted, s.votes_wanted), state = s.state
FROM unnest(
    %(clip_ids)s::text[], %(categories)s::text[], %(votes_wanted)s::integer[], %(states)s::text[]
) AS s (clip_id, category, votes_wanted, state)
WHERE q.clip_id = s.clip_id AND q.category = s.category AND q.state <> 'withdrawn';
