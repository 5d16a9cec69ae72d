-- The last answers of people that a source gave and that are more than `unsure`.
SELECT v.vote_id::text, v.clip_id, v.category, v.annotator, v.cast_at, o.item
FROM vote_origins AS o
JOIN votes AS v USING (vote_id)
WHERE
    o.source = %(source)s::text AND v.answer <> 'unsure'
    AND NOT EXISTS (SELECT FROM votes AS n WHERE n.supersedes = v.vote_id);
