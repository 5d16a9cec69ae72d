-- The first clip of a round that a page leaves to the next one: so many are looked at, by id, from one on. No row: the
-- page looks at all that are left.
SELECT clip_id AS begin
FROM queue
WHERE
    category = %(category)s::text AND round = %(round)s::text AND clip_id >= %(begin)s::text
ORDER BY clip_id
LIMIT 1 OFFSET %(looked_at)s::integer;
