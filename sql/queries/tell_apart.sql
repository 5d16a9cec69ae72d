-- Record that two look-alikes differ, as a person says; a second time replaces the first. Nothing happens where they are
-- no such pair, or one of them was withdrawn.
INSERT INTO told_apart (video_id, other_id, person, reason)
SELECT DISTINCT
    least(d.video_id, d.other_id), greatest(d.video_id, d.other_id), %(person)s::text, %(reason)s::text
FROM duplicates AS d
WHERE
    (d.video_id, d.other_id) IN (
        (%(video_id)s::text, %(other_id)s::text), (%(other_id)s::text, %(video_id)s::text)
    )
    AND NOT EXISTS (SELECT FROM tombstones AS s WHERE s.video_id IN (d.video_id, d.other_id))
ON CONFLICT (video_id, other_id) DO UPDATE
SET person = excluded.person, reason = excluded.reason, since = now();
