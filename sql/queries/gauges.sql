-- What whoever watches the platform is told: the name of each gauge, its category (NULL: of the whole platform), value.
SELECT
    g.name, n.category, g.value::double precision AS value
FROM current_counts AS n
INNER JOIN categories AS c ON n.category = c.category AND c.retired_at IS NULL
CROSS JOIN LATERAL (
    VALUES ('slac_videos', n.videos), ('slac_open_clips', n.open), ('slac_answers', n.votes)
) AS g (name, value)
UNION ALL
SELECT 'slac_refused', j.category, (j.standing = 'undecided')::integer
FROM judgements AS j
INNER JOIN categories AS c ON j.category = c.category AND c.retired_at IS NULL
WHERE j.labels = (SELECT max(labels) FROM verdicts)
UNION ALL
SELECT 'slac_categories', NULL, count(*) FROM categories WHERE retired_at IS NULL
UNION ALL
SELECT 'slac_waiting_answers', NULL, count(*) FROM outbox
UNION ALL
-- An age that there is none of is 0: nothing is late.
SELECT 'slac_waiting_answer_age_seconds', NULL, coalesce(extract(EPOCH FROM now() - min(v.cast_at)), 0)
FROM outbox INNER JOIN votes AS v USING (vote_id)
UNION ALL
SELECT 'slac_unscored_window_age_seconds', NULL, coalesce(max(extract(EPOCH FROM now() - v.written_at)), 0)
FROM current_datasets AS v
INNER JOIN categories AS c ON v.keys ->> 'category' = c.category AND c.retired_at IS NULL
LEFT JOIN (
    SELECT DISTINCT keys ->> 'category' AS category, keys ->> 'window' AS "window" FROM datasets
    WHERE dataset = 'scores'
) AS s ON v.keys ->> 'category' = s.category AND v.keys ->> 'window' = s."window"
WHERE
    v.dataset = 'videos' AND v.row_count > 0 AND s.category IS NULL
    -- Past windows that a person paused are not late.
    AND NOT EXISTS (
        SELECT FROM category_plans AS p
        WHERE
            p.category = c.category AND p.state <> 'running'
            AND daterange(p.first_window, p.last_window, '[]') @> (v.keys ->> 'window')::date
    )
UNION ALL
SELECT 'slac_collected_window_age_seconds', NULL, coalesce(extract(EPOCH FROM now() - max(written_at)), 0)
FROM datasets WHERE dataset = 'videos'
UNION ALL
SELECT 'slac_retryable_drops', NULL, coalesce(sum(retryable), 0) FROM current_datasets WHERE dataset = 'fetched'
UNION ALL
SELECT 'slac_release_age_seconds', NULL, coalesce(extract(EPOCH FROM now() - max(released_at)), 0) FROM releases;
