-- Split sets whose answers are mixed: clips that got the same answer, where there are enough of them, are a smaller set
-- from now on, and the others are asked alone. A clip that wanted one answer wants another one. Gold does not count: it
-- stands in a set by chance. Sets whose clips all got one answer stay as they are. The clips are taken in the order in which
-- answers are stored.
WITH given AS (
    SELECT v.set_id, q.clip_id, q.category, q.alike, v.answer
    FROM votes AS v
    JOIN queue AS q USING (clip_id, category)
    WHERE
        v.set_id = ANY (%(set_ids)s::uuid[]) AND v.annotator = %(annotator)s::text
        AND NOT EXISTS (SELECT FROM votes AS n WHERE n.supersedes = v.vote_id)
        AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
), mixed AS (
    SELECT set_id FROM given GROUP BY set_id HAVING count(DISTINCT answer) > 1
), parts AS (
    SELECT
        clip_id, category, alike || '/' || answer AS smaller,
        count(*) OVER (PARTITION BY set_id, alike, answer) AS size,
        answer IN ('yes', 'no') AS is_plain
    FROM given
    JOIN mixed USING (set_id)
    WHERE alike IS NOT NULL
), taken AS (
    SELECT q.clip_id, q.category, p.smaller, p.size, p.is_plain
    FROM queue AS q
    JOIN parts AS p USING (clip_id, category)
    ORDER BY q.category COLLATE "C", q.clip_id COLLATE "C"
    FOR NO KEY UPDATE OF q
)
UPDATE queue AS q
SET
    alike = CASE WHEN p.is_plain AND p.size >= %(set_least)s::integer THEN p.smaller END,
    votes_wanted = q.votes_wanted + (q.votes_wanted = 1 AND NOT q.again)::integer,
    state = CASE WHEN q.votes_wanted = 1 AND NOT q.again AND q.state = 'finished' THEN 'open' ELSE q.state END,
    again = q.again OR q.votes_wanted = 1
FROM taken AS p
WHERE q.clip_id = p.clip_id AND q.category = p.category;
