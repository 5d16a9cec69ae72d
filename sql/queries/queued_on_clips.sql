-- What the queue holds of these clips: whether their video was withdrawn, and how many answers the batches up to one hold.
SELECT
    q.clip_id, q.category, q.video_id, q.start_sec, q.end_sec, q.split, q.round, q.strategy, q.votes_wanted, q.votes_first,
    q.state, q.again, q.lead, q.audit_share,
    EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id) AS withdrawn,
    (
        SELECT count(*)
        FROM votes AS v
        JOIN batch_votes AS b USING (vote_id)
        WHERE
            v.clip_id = q.clip_id AND v.category = q.category AND v.supersedes IS NULL
            AND b.batch <= %(until)s::integer
    ) AS given
FROM unnest(%(clip_ids)s::text[], %(categories)s::text[]) AS a (clip_id, category)
JOIN queue AS q USING (clip_id, category);
