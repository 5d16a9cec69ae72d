-- Forget the known ends of a segment.
DELETE FROM gold_segments WHERE segment_id = %(segment_id)s::text RETURNING segment_id;
