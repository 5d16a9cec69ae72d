-- Withdraw the open clips of older rounds of the same category and window that nobody answered or holds: a newer round
-- has chosen better. A round is older when its clips were queued before the first clip of this one. Gold stays: a lead
-- chose it, and people meet it whatever its round. The clips are taken in the order in which answers are stored.
WITH unasked AS (
    SELECT q.clip_id, q.category
    FROM queue AS q
    WHERE
        q.category = %(category)s::text AND q.state = 'open' AND q.round <> %(round)s::text
        AND split_part(q.round, '.', 1) = split_part(%(round)s::text, '.', 1)
        AND q.queued_at < (
            SELECT min(n.queued_at) FROM queue AS n WHERE n.category = %(category)s::text AND n.round = %(round)s::text
        )
        AND NOT EXISTS (SELECT FROM known_answers AS k WHERE (k.clip_id, k.category) = (q.clip_id, q.category))
        -- What was taken since this statement began is in the row that it waited for, and not among the votes and leases that
        -- it sees.
        AND q.taken = (
            SELECT count(*) FROM leases AS l
            WHERE l.clip_id = q.clip_id AND l.category = q.category AND l.expires_at <= now()
        )
    ORDER BY q.clip_id COLLATE "C"
    FOR NO KEY UPDATE OF q
)
UPDATE queue AS q
SET state = 'withdrawn'
FROM unasked AS u
WHERE q.clip_id = u.clip_id AND q.category = u.category;
