-- A page of the clips that one person answered, of one round where it is given. So many answers are looked at, the
-- newest first, from one on: the page is the best of those, and its cost does not grow with the person's answers.
WITH answered AS MATERIALIZED (
    SELECT v.clip_id
    FROM votes AS v
    WHERE
        v.annotator = %(person)s::text AND v.category = %(category)s::text AND v.supersedes IS NULL
        AND (v.cast_at, v.clip_id) <= (to_timestamp(%(begin_at)s::double precision), %(begin)s::text)
    ORDER BY v.cast_at DESC, v.clip_id DESC
    LIMIT %(looked_at)s::integer
), found AS (
    SELECT
        l.clip_id,
        CASE %(sort)s::text
            WHEN 'newest' THEN extract(epoch FROM l.queued_at)::double precision
            WHEN 'disputed' THEN l.dispute::double precision
            ELSE l.doubt::double precision
        END AS rank
    FROM answered AS a
    -- OFFSET 0 has each clip looked up by its key.
    CROSS JOIN LATERAL (
        SELECT * FROM listed_clips WHERE clip_id = a.clip_id AND category = %(category)s::text OFFSET 0
    ) AS l
    WHERE
        l.facet = ANY (%(facets)s::integer[])
        AND (
            %(round)s::text IS NULL OR EXISTS (
                SELECT FROM queue AS q
                WHERE q.clip_id = l.clip_id AND q.category = l.category AND q.round = %(round)s::text
                OFFSET 0
            )
        )
        AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = split_part(l.clip_id, ':', 1) OFFSET 0)
)
SELECT clip_id, rank
FROM found
WHERE (rank, clip_id) < (%(rank)s::double precision, %(clip_id)s::text)
ORDER BY rank DESC, clip_id DESC
LIMIT %(most)s::integer;
