-- Clips of a category that people were asked, or are being asked, in other rounds, and why.
SELECT clip_id, strategy
FROM queue
WHERE category = %(category)s::text AND round <> %(round)s::text AND state <> 'withdrawn';
