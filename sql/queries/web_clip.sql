-- The object of a clip that is or was in this person's hands, or that this person has answered.
SELECT q.proxy_256
FROM live_queue AS q
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
    );
