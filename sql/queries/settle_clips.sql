-- Say how many answers clips want, whether they wait for more, and whether for one that is asked although the label stands.
-- What was withdrawn stays withdrawn, and so does what somebody asked again, or settled, since the queue was read.
UPDATE queue AS q
SET votes_wanted = greatest(q.votes_wanted, s.votes_wanted), state = s.state, again = s.again
FROM unnest(
    %(clip_ids)s::text[], %(categories)s::text[], %(votes_wanted)s::integer[], %(states)s::text[],
    %(were_again)s::boolean[], %(again)s::boolean[]
) AS s (clip_id, category, votes_wanted, state, was_again, again)
WHERE q.clip_id = s.clip_id AND q.category = s.category AND q.state <> 'withdrawn' AND q.again = s.was_again;
