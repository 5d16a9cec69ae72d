-- How many segments of each round were asked, are finished, and how many answers they have.
SELECT
    s.round, s.origin, s.category, count(*) AS segments, count(*) FILTER (WHERE s.state = 'finished') AS finished,
    coalesce(sum((
        SELECT count(*) FROM segment_votes AS v WHERE v.segment_id = s.segment_id AND v.supersedes IS NULL
    )), 0)::bigint AS answers,
    count(g.segment_id) AS gold
FROM live_segments AS s
LEFT JOIN gold_segments AS g USING (segment_id)
GROUP BY s.round, s.origin, s.category
ORDER BY min(s.queued_at), s.round, s.category;
