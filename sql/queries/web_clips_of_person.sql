-- A page of the clips that one person answered, of one round where it is given. The answers are found by their index:
-- the cost is that of this person's answers in the category.
WITH found AS (
    SELECT
        l.clip_id,
        CASE %(sort)s::text
            WHEN 'newest' THEN extract(epoch FROM l.queued_at)::double precision
            WHEN 'disputed' THEN l.dispute::double precision
            ELSE l.doubt::double precision
        END AS rank
    FROM votes AS v
    JOIN listed_clips AS l USING (clip_id, category)
    JOIN queue AS q USING (clip_id, category)
    WHERE
        v.annotator = %(person)s::text AND v.category = %(category)s::text AND v.supersedes IS NULL
        AND (%(round)s::text IS NULL OR q.round = %(round)s::text)
        AND l.facet = ANY (%(facets)s::integer[])
        AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id)
)
SELECT clip_id, rank
FROM found
WHERE (rank, clip_id) < (%(rank)s::double precision, %(clip_id)s::text)
ORDER BY rank DESC, clip_id DESC
LIMIT %(most)s::integer;
