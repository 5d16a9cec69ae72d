-- Open clips of a category, oldest first, as another tool's tasks need them; none of a retired one.
SELECT q.clip_id, q.category, q.start_sec, q.end_sec, q.proxy_256, c.name, c.guideline
FROM live_queue AS q
JOIN categories AS c USING (category)
WHERE
    q.category = %(category)s::text AND q.state = 'open' AND c.retired_at IS NULL
ORDER BY q.queued_at, q.clip_id;
