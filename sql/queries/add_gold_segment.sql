-- Say which ends of a segment of the queue are right; no ends: the action is not there.
INSERT INTO gold_segments (segment_id, start_sec, end_sec, person)
SELECT s.segment_id, %(start_sec)s::double precision, %(end_sec)s::double precision, %(person)s::text
FROM segments AS s
WHERE s.segment_id = %(segment_id)s::text AND coalesce(%(end_sec)s::double precision <= s.duration_sec, true)
ON CONFLICT (segment_id) DO UPDATE
SET start_sec = excluded.start_sec, end_sec = excluded.end_sec, person = excluded.person, since = now()
RETURNING segment_id;
