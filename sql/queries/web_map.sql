-- What stands of clips of a category, in the order given; those of withdrawn videos are left out.
SELECT a.clip_id, f.verdict
FROM unnest(%(clip_ids)s::text[]) WITH ORDINALITY AS a (clip_id, place)
JOIN listed_clips AS l ON l.clip_id = a.clip_id AND l.category = %(category)s::text
JOIN clip_facets AS f USING (facet)
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = split_part(a.clip_id, ':', 1))
ORDER BY a.place;
