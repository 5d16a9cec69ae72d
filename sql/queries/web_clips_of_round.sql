-- A page of the clips of one round, which is found by its index: the cost is that of its clips.
WITH found AS (
    SELECT
        l.clip_id,
        CASE %(sort)s::text
            WHEN 'newest' THEN extract(epoch FROM l.queued_at)::double precision
            WHEN 'disputed' THEN l.dispute::double precision
            ELSE l.doubt::double precision
        END AS rank
    FROM queue AS q
    JOIN listed_clips AS l USING (clip_id, category)
    WHERE
        q.category = %(category)s::text AND q.round = %(round)s::text
        AND l.facet = ANY (%(facets)s::integer[])
        AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id)
)
SELECT clip_id, rank
FROM found
WHERE (rank, clip_id) < (%(rank)s::double precision, %(clip_id)s::text)
ORDER BY rank DESC, clip_id DESC
LIMIT %(most)s::integer;
