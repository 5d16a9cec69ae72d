-- Put a chosen clip into the queue. A clip is asked once per category: one that is there stays as it is, unless it was
-- withdrawn before anybody answered; that one comes back with its new round. Clips of withdrawn videos stay out, and so
-- does an example, whose answer is on the page. A moment is given where a lost queue is put
-- back: of what an older dump holds, a later round has what it chose.
INSERT INTO queue AS q
    (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256, votes_wanted, votes_first,
    lead, audit_share, alike, queued_at)
SELECT
    %(clip_id)s::text, %(category)s::text, %(video_id)s::text, %(round)s::text, %(strategy)s::text,
    %(start_sec)s::double precision, %(end_sec)s::double precision, %(split)s::text, %(proxy_256)s::text,
    %(votes_wanted)s::integer, %(votes_wanted)s::integer, %(lead)s::integer,
    %(audit_share)s::double precision, %(alike)s::text, coalesce(%(queued_at)s::timestamptz, now())
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = %(video_id)s::text)
ON CONFLICT (clip_id, category) DO UPDATE
SET
    round = excluded.round, strategy = excluded.strategy, votes_wanted = excluded.votes_wanted,
    votes_first = excluded.votes_first, lead = excluded.lead, audit_share = excluded.audit_share,
    alike = excluded.alike, again = false, proxy_256 = excluded.proxy_256, state = 'open', queued_at = excluded.queued_at
WHERE
    q.round <> excluded.round AND (q.state = 'withdrawn' OR %(queued_at)s::timestamptz > q.queued_at)
    AND NOT EXISTS (
        SELECT FROM known_answers AS k
        WHERE k.clip_id = q.clip_id AND k.category = q.category AND k.purpose = 'example'
    )
    AND NOT EXISTS (
        SELECT FROM votes AS v
        WHERE v.clip_id = q.clip_id AND v.category = q.category AND v.supersedes IS NULL
    );
