-- The first of a person's answers in a category that a page leaves to the next one: so many are looked at, the newest
-- first, from one on. No row: the page looks at all that are left.
SELECT extract(epoch FROM cast_at)::double precision AS begin_at, clip_id AS begin
FROM votes
WHERE
    annotator = %(person)s::text AND category = %(category)s::text AND supersedes IS NULL
    AND (cast_at, clip_id) <= (to_timestamp(%(begin_at)s::double precision), %(begin)s::text)
ORDER BY cast_at DESC, clip_id DESC
LIMIT 1 OFFSET %(looked_at)s::integer;
