-- Clips as tiles, in the order given: where each lies, what stands of it, and how people answered; of a chain of
-- corrections the last answer counts.
SELECT
    q.clip_id, q.category, q.start_sec, q.end_sec, q.proxy_256, q.strategy, q.split, q.round, q.state,
    f.verdict, f.kind, l.score, k.purpose,
    coalesce(n.yes, 0) AS yes, coalesce(n.no, 0) AS no, coalesce(n.other, 0) AS other
FROM unnest(%(clip_ids)s::text[]) WITH ORDINALITY AS a (clip_id, place)
JOIN queue AS q ON q.clip_id = a.clip_id AND q.category = %(category)s::text
JOIN listed_clips AS l ON l.clip_id = q.clip_id AND l.category = q.category
JOIN clip_facets AS f USING (facet)
LEFT JOIN known_answers AS k ON k.clip_id = q.clip_id AND k.category = q.category
LEFT JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE given.answer = 'yes') AS yes, count(*) FILTER (WHERE given.answer = 'no') AS no,
        count(*) FILTER (WHERE given.answer NOT IN ('yes', 'no')) AS other
    FROM (
        SELECT v.vote_id, v.answer FROM votes AS v
        WHERE v.clip_id = q.clip_id AND v.category = q.category AND v.supersedes IS NULL
        UNION ALL
        SELECT v.vote_id, v.answer FROM votes AS v
        WHERE v.clip_id = q.clip_id AND v.category = q.category AND v.supersedes IS NOT NULL
    ) AS given
    WHERE NOT EXISTS (SELECT FROM votes AS later WHERE later.supersedes = given.vote_id)
) AS n ON TRUE
ORDER BY a.place;
