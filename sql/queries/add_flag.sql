-- Keep what a person found odd about a clip that is or was in the person's hands, or that the person has answered; returns
-- the flag's id if it is kept now or was since an earlier send.
WITH me AS (
    -- Whoever is being forgotten is gone afterwards, and has flagged nothing.
    SELECT annotator FROM annotators WHERE annotator = %(annotator)s::text FOR KEY SHARE
), asked AS (
    SELECT q.clip_id, q.category
    FROM live_queue AS q
    CROSS JOIN me
    WHERE
        q.clip_id = %(clip_id)s::text AND q.category = %(category)s::text
        AND (
            EXISTS (
                SELECT FROM leases AS l
                WHERE l.clip_id = q.clip_id AND l.category = q.category AND l.annotator = %(annotator)s::text
            )
            OR EXISTS (
                SELECT FROM lapsed_leases AS p
                WHERE p.annotator = %(annotator)s::text AND p.category = q.category AND p.clip_id = q.clip_id
            )
            OR EXISTS (
                SELECT FROM votes AS v
                WHERE
                    v.clip_id = q.clip_id AND v.category = q.category AND v.annotator = %(annotator)s::text
                    AND v.supersedes IS NULL
            )
        )
), kept AS (
    INSERT INTO flags (flag_id, clip_id, category, annotator, comment)
    SELECT %(flag_id)s::uuid, clip_id, category, %(annotator)s::text, %(comment)s::text FROM asked
    ON CONFLICT DO NOTHING
    RETURNING flag_id
)
SELECT flag_id::text FROM kept
UNION
SELECT flag_id::text FROM flags WHERE flag_id = %(flag_id)s::uuid AND annotator = %(annotator)s::text;
