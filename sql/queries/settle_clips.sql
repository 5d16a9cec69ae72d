-- Say how many answers clips want, whether they wait for more, and whether for one that is asked although the label stands.
-- What was withdrawn stays withdrawn, and so does what somebody asked again, or settled, since the queue was read. The
-- clips are taken in the order in which answers are stored.
WITH settled AS (
    SELECT q.clip_id, q.category, s.votes_wanted, s.state, s.again
    FROM queue AS q
    JOIN unnest(
        %(clip_ids)s::text[], %(categories)s::text[], %(votes_wanted)s::integer[], %(states)s::text[],
        %(were_again)s::boolean[], %(again)s::boolean[]
    ) AS s (clip_id, category, votes_wanted, state, was_again, again) USING (clip_id, category)
    WHERE q.state <> 'withdrawn' AND q.again = s.was_again
    ORDER BY q.category COLLATE "C", q.clip_id COLLATE "C"
    FOR NO KEY UPDATE OF q
)
UPDATE queue AS q
SET votes_wanted = greatest(q.votes_wanted, s.votes_wanted), state = s.state, again = s.again
FROM settled AS s
WHERE q.clip_id = s.clip_id AND q.category = s.category;
