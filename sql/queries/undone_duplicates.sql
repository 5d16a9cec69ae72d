-- Where a video is still dropped for another one from which a person told it apart; of one window only, where one is
-- given. Deduplicating again admits it, and the pair is gone from here.
SELECT DISTINCT d.category, d."window"::text AS "window"
FROM told_apart AS t
INNER JOIN duplicates AS d
    ON (d.video_id = t.video_id AND d.other_id = t.other_id) OR (d.video_id = t.other_id AND d.other_id = t.video_id)
WHERE %(window)s::date IS NULL OR d."window" = %(window)s::date
ORDER BY category, "window";
