-- Clips of a category that people were asked, or are being asked, in other rounds.
SELECT clip_id
FROM queue
WHERE category = %(category)s::text AND round <> %(round)s::text AND state <> 'withdrawn';
