-- Take back the segments that are in a person's hands: others may be asked.
WITH gone AS (
    DELETE FROM segment_leases WHERE annotator = %(annotator)s::text RETURNING segment_id, lapsed
)
UPDATE segments AS s SET taken = s.taken - 1 FROM gone WHERE s.segment_id = gone.segment_id AND NOT gone.lapsed;
