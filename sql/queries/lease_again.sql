-- Hand a person the clips again that were in the person's hands and were swept unanswered: gold or not, and whoever has
-- answered them meanwhile. If only some came back, those that do would say what they are. `in_sets`: those alone that were
-- handed out in sets, one set after the other. Rows that another call works on
-- at this moment are left for the next call.
WITH me AS (
    -- Taken before any clip, as everywhere: whoever is being forgotten is not waited for with clips taken.
    SELECT annotator, groups FROM annotators WHERE annotator = %(annotator)s::text AND active FOR KEY SHARE
), back AS (
    SELECT p.clip_id, p.category, p.set_id
    FROM lapsed_leases AS p
    JOIN live_queue AS q USING (clip_id, category)
    JOIN me AS a USING (annotator)
    JOIN categories AS c USING (category)
    WHERE
        p.annotator = %(annotator)s::text AND p.category = %(category)s::text AND q.state <> 'withdrawn'
        AND c.retired_at IS NULL AND (c.reviewers IS NULL OR c.reviewers = ANY (a.groups))
        AND (p.set_id IS NOT NULL OR NOT %(in_sets)s::boolean)
    ORDER BY CASE WHEN %(in_sets)s::boolean THEN p.set_id END, random()
    LIMIT %(clips_most)s::integer
    FOR NO KEY UPDATE OF q SKIP LOCKED
), leased AS (
    INSERT INTO leases (clip_id, category, annotator, expires_at, set_id)
    SELECT
        clip_id, category, %(annotator)s::text, now() + make_interval(secs => %(lease_sec)s::double precision), set_id
    FROM back
    ON CONFLICT (clip_id, category, annotator) DO NOTHING
    RETURNING clip_id, category, set_id
), gone AS (
    DELETE FROM lapsed_leases AS p
    USING leased AS l
    WHERE (p.annotator, p.category, p.clip_id) = (%(annotator)s::text, l.category, l.clip_id)
), counted AS (
    UPDATE queue AS q SET taken = q.taken + 1 FROM leased AS l WHERE (q.clip_id, q.category) = (l.clip_id, l.category)
)
SELECT q.clip_id, q.category, q.start_sec, q.end_sec, q.proxy_256, l.set_id::text
FROM leased AS l
JOIN queue AS q USING (clip_id, category)
ORDER BY random();
