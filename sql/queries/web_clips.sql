-- A page of a category's clips in one order, after the last one of the page before: the head of the index of each facet,
-- merged. The cost is that of the facets, which are few, and not of the clips. Only the arm of the order is run.
WITH facets AS (
    SELECT facet FROM unnest(%(facets)s::integer[]) AS f (facet)
)
SELECT clip_id, rank
FROM (
    SELECT head.*
    FROM facets
    CROSS JOIN LATERAL (
        SELECT l.clip_id, extract(epoch FROM l.queued_at)::double precision AS rank
        FROM listed_clips AS l
        WHERE
            l.facet = facets.facet
            AND (l.queued_at, l.clip_id) < (to_timestamp(%(rank)s::double precision), %(clip_id)s::text)
            AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = split_part(l.clip_id, ':', 1) OFFSET 0)
        ORDER BY l.queued_at DESC, l.clip_id DESC
        LIMIT %(most)s::integer
    ) AS head
    WHERE %(sort)s::text = 'newest'
    UNION ALL
    SELECT head.*
    FROM facets
    CROSS JOIN LATERAL (
        SELECT l.clip_id, l.dispute::double precision AS rank
        FROM listed_clips AS l
        WHERE
            l.facet = facets.facet
            AND (l.dispute, l.clip_id) < (%(rank)s::double precision::real, %(clip_id)s::text)
            AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = split_part(l.clip_id, ':', 1) OFFSET 0)
        ORDER BY l.dispute DESC, l.clip_id DESC
        LIMIT %(most)s::integer
    ) AS head
    WHERE %(sort)s::text = 'disputed'
    UNION ALL
    SELECT head.*
    FROM facets
    CROSS JOIN LATERAL (
        SELECT l.clip_id, l.doubt::double precision AS rank
        FROM listed_clips AS l
        WHERE
            l.facet = facets.facet
            AND (l.doubt, l.clip_id) < (%(rank)s::double precision::real, %(clip_id)s::text)
            AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = split_part(l.clip_id, ':', 1) OFFSET 0)
        ORDER BY l.doubt DESC, l.clip_id DESC
        LIMIT %(most)s::integer
    ) AS head
    WHERE %(sort)s::text = 'unsure'
) AS heads
ORDER BY rank DESC, clip_id DESC
LIMIT %(most)s::integer;
