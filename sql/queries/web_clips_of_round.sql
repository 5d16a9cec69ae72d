-- A page of the clips of one round. So many are looked at, by id, from one on: the page is the best of those, and its
-- cost does not grow with the round.
WITH asked AS MATERIALIZED (
    SELECT q.clip_id
    FROM queue AS q
    WHERE
        q.category = %(category)s::text AND q.round = %(round)s::text AND q.clip_id >= %(begin)s::text
    ORDER BY q.clip_id
    LIMIT %(looked_at)s::integer
), found AS (
    SELECT
        l.clip_id,
        CASE %(sort)s::text
            WHEN 'newest' THEN extract(epoch FROM l.queued_at)::double precision
            WHEN 'disputed' THEN l.dispute::double precision
            ELSE l.doubt::double precision
        END AS rank
    FROM asked AS a
    -- OFFSET 0 has each clip looked up by its key.
    CROSS JOIN LATERAL (
        SELECT * FROM listed_clips WHERE clip_id = a.clip_id AND category = %(category)s::text OFFSET 0
    ) AS l
    WHERE
        l.facet = ANY (%(facets)s::integer[])
        AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = split_part(l.clip_id, ':', 1) OFFSET 0)
)
SELECT clip_id, rank
FROM found
WHERE (rank, clip_id) < (%(rank)s::double precision, %(clip_id)s::text)
ORDER BY rank DESC, clip_id DESC
LIMIT %(most)s::integer;
