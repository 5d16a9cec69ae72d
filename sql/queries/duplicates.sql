-- Pairs of look-alikes of which one was dropped, the newest first, with what a person said of them; of one category or
-- window only, where it is given. Pairs with a withdrawn video are left out: nobody may look at it.
SELECT
    d.category, d."window"::text AS "window", d.video_id, d.other_id, d.evidence, d.source, d.source_id, d.proxy_256,
    a.source AS other_source, a.source_id AS other_source_id, a."window"::text AS other_window,
    v.proxy_256 AS other_proxy_256, d.since, t.person, t.reason
FROM duplicates AS d
LEFT JOIN videos AS v ON v.video_id = d.other_id
LEFT JOIN admissions AS a ON a.video_id = d.other_id AND a.category = d.category
LEFT JOIN told_apart AS t
    ON t.video_id = least(d.video_id, d.other_id) AND t.other_id = greatest(d.video_id, d.other_id)
WHERE
    (%(category)s::text IS NULL OR d.category = %(category)s::text)
    AND (%(window)s::date IS NULL OR d."window" = %(window)s::date)
    AND NOT EXISTS (SELECT FROM tombstones AS s WHERE s.video_id IN (d.video_id, d.other_id))
ORDER BY d.since DESC, d."window" DESC, d.category, d.candidate_id
LIMIT %(most)s::bigint;
