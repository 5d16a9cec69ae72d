-- What the clips of a category have in common, and how many are alike in all of it.
SELECT facet, strategy, split, verdict, kind, tenth, clips
FROM clip_facets
WHERE category = %(category)s::text AND clips > 0;
