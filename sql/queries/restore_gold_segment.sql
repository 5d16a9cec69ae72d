-- Put back what the store knows of a segment of the queue: it is written with the ledger, and an old dump knows less.
INSERT INTO gold_segments (segment_id, start_sec, end_sec, person)
SELECT s.segment_id, %(start_sec)s::double precision, %(end_sec)s::double precision, 'restored from the store'
FROM segments AS s
WHERE s.segment_id = %(segment_id)s::text
ON CONFLICT (segment_id) DO UPDATE SET start_sec = excluded.start_sec, end_sec = excluded.end_sec;
