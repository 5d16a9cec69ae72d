-- Take back the segments that are in a person's hands: others may be asked. Segments come before hands, and in the order in
-- which answers are stored.
WITH held AS (
    SELECT s.segment_id
    FROM segments AS s
    JOIN segment_leases AS l USING (segment_id)
    WHERE l.annotator = %(annotator)s::text
    ORDER BY s.segment_id COLLATE "C"
    FOR NO KEY UPDATE OF s
), gone AS (
    DELETE FROM segment_leases AS l
    USING held
    WHERE (l.segment_id, l.annotator) = (held.segment_id, %(annotator)s::text)
    RETURNING l.segment_id, l.lapsed
)
UPDATE segments AS s SET taken = s.taken - 1 FROM gone WHERE s.segment_id = gone.segment_id AND NOT gone.lapsed;
