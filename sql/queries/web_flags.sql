-- The newest flags with their clips, for leads.
SELECT
    f.flagged_at, f.annotator, f.comment, f.clip_id, f.category, c.name, q.start_sec, q.end_sec, q.proxy_256,
    q.state,
    (
        SELECT string_agg(said.answer || ' ' || said.votes, ', ' ORDER BY said.votes DESC, said.answer)
        FROM (
            SELECT v.answer, count(*) AS votes
            FROM votes AS v
            WHERE
                v.clip_id = f.clip_id AND v.category = f.category
                AND NOT EXISTS (SELECT FROM votes AS later WHERE later.supersedes = v.vote_id)
            GROUP BY v.answer
        ) AS said
    ) AS answers
FROM (SELECT * FROM flags ORDER BY flagged_at DESC LIMIT %(most)s::integer) AS f
JOIN live_queue AS q ON (q.clip_id, q.category) = (f.clip_id, f.category)
JOIN categories AS c ON c.category = f.category
ORDER BY f.flagged_at DESC;
