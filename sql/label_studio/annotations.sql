-- Every annotation of the project, with what its task is about. Runs in Label Studio's own database (1.x), read only.
SELECT
    c.id AS annotation, c.updated_at, coalesce(c.was_cancelled, false) AS cancelled, c.lead_time AS seconds, c.result,
    coalesce(u.email, '') AS email, t.data ->> 'clip_id' AS clip_id, t.data ->> 'category' AS category
FROM task_completion AS c
JOIN task AS t ON t.id = c.task_id
LEFT JOIN htx_user AS u ON u.id = c.completed_by_id
WHERE t.project_id = %(project)s::integer
ORDER BY c.updated_at, c.id;
