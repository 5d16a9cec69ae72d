-- Every answer to a clip, the oldest first, and whether a later one corrects it.
SELECT
    v.annotator, v.answer, v.seconds, v.cast_at, v.guideline_version, v.set_id IS NOT NULL AS in_set,
    -- Corrections are found by their clip, as `votes_corrections` lists them.
    EXISTS (
        SELECT FROM votes AS later
        WHERE
            later.clip_id = v.clip_id AND later.category = v.category AND later.supersedes IS NOT NULL
            AND later.supersedes = v.vote_id
        OFFSET 0
    ) AS is_corrected
FROM (
    SELECT * FROM votes AS a
    WHERE a.clip_id = %(clip_id)s::text AND a.category = %(category)s::text AND a.supersedes IS NULL
    UNION ALL
    SELECT * FROM votes AS a
    WHERE a.clip_id = %(clip_id)s::text AND a.category = %(category)s::text AND a.supersedes IS NOT NULL
) AS v
ORDER BY v.cast_at, v.vote_id;
