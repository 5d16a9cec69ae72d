-- A page of a category's clips, the newest first, after the last one of the page before. Of each facet the first clip
-- is looked up; the page is among the facets whose first clips come first, as many as the page has clips. So the cost
-- is that of the facets, which are few, and not of the clips.
WITH first AS (
    SELECT f.facet
    FROM unnest(%(facets)s::integer[]) AS f (facet)
    CROSS JOIN LATERAL (
        SELECT l.queued_at, l.clip_id
        FROM listed_clips AS l
        WHERE
            l.facet = f.facet
            AND (l.queued_at, l.clip_id) < (to_timestamp(%(rank)s::double precision), %(clip_id)s::text)
            AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = split_part(l.clip_id, ':', 1) OFFSET 0)
        ORDER BY l.queued_at DESC, l.clip_id DESC
        LIMIT 1
    ) AS head
    ORDER BY head.queued_at DESC, head.clip_id DESC
    LIMIT %(most)s::integer
)
SELECT head.clip_id, extract(epoch FROM head.queued_at)::double precision AS rank
FROM first AS f
CROSS JOIN LATERAL (
    SELECT l.queued_at, l.clip_id
    FROM listed_clips AS l
    WHERE
        l.facet = f.facet
        AND (l.queued_at, l.clip_id) < (to_timestamp(%(rank)s::double precision), %(clip_id)s::text)
        AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = split_part(l.clip_id, ':', 1) OFFSET 0)
    ORDER BY l.queued_at DESC, l.clip_id DESC
    LIMIT %(most)s::integer
) AS head
ORDER BY head.queued_at DESC, head.clip_id DESC
LIMIT %(most)s::integer;
