-- Say how many answers a clip wants and whether it waits for more; what was withdrawn stays withdrawn.
UPDATE queue
SET votes_wanted = greatest(votes_wanted, %(votes_wanted)s::integer), state = %(state)s::text
WHERE clip_id = %(clip_id)s::text AND category = %(category)s::text AND state <> 'withdrawn';
