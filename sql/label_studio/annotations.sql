-- Every annotation of the project, with what its task is about, as plain values: nothing here fails on what it holds.
-- Runs in Label Studio's own database (1.x), read only. The person is the one who edited it last, a second or more after it
-- was made; older versions have no such column. Moments are microseconds since 1970, NULL outside of the years 1 to 9999.
SELECT
    c.id AS annotation, coalesce(c.was_cancelled, false) AS cancelled, c.lead_time AS seconds, c.result::text AS result,
    CASE
        WHEN c.updated_at >= '0001-01-02 00:00:00+00' AND c.updated_at < '9999-12-31 00:00:00+00'
            THEN (extract(epoch FROM c.updated_at) * 1000000)::bigint
    END AS changed_us,
    u.email, t.data ->> 'clip_id' AS clip_id, t.data ->> 'category' AS category
FROM task_completion AS c
JOIN task AS t ON t.id = c.task_id
LEFT JOIN htx_user AS u ON u.id = CASE
    -- Whoever sends annotations of other people in is no editor of them.
    WHEN extract(epoch FROM c.updated_at) - extract(epoch FROM (to_jsonb(c) ->> 'created_at')::timestamptz) < 1
        THEN c.completed_by_id
    ELSE coalesce((to_jsonb(c) ->> 'updated_by_id')::bigint, c.completed_by_id)
END
WHERE t.project_id = %(project)s::integer
ORDER BY c.updated_at, c.id;
