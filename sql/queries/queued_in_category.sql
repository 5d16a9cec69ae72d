-- What the queue holds of the clips of a category on which the batches up to one hold votes, without withdrawn videos.
SELECT
    q.clip_id, q.category, q.video_id, q.start_sec, q.end_sec, q.split, q.round, q.strategy, q.votes_wanted, q.votes_first,
    q.state, q.again, q.lead, q.audit_share,
    false AS withdrawn, g.given
FROM live_queue AS q
JOIN (
    SELECT v.clip_id, count(*) AS given
    FROM votes AS v
    JOIN batch_votes AS b USING (vote_id)
    WHERE v.category = %(category)s::text AND v.supersedes IS NULL AND b.batch <= %(until)s::integer
    GROUP BY v.clip_id
) AS g USING (clip_id)
WHERE q.category = %(category)s::text;
