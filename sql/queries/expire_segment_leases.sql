-- Take back segments that were handed out and not answered in time; the person may still answer them. Rows that somebody
-- works on at this moment are left for the next call.
WITH late AS (
    SELECT l.segment_id, l.annotator
    FROM segment_leases AS l
    JOIN segments AS s USING (segment_id)
    WHERE NOT l.lapsed AND l.expires_at < now()
    ORDER BY l.expires_at
    LIMIT 1000
    FOR NO KEY UPDATE OF l, s SKIP LOCKED
), gone AS (
    UPDATE segment_leases AS l
    SET lapsed = true
    FROM late
    WHERE (l.segment_id, l.annotator) = (late.segment_id, late.annotator) AND NOT l.lapsed AND l.expires_at < now()
    RETURNING l.segment_id
), hands AS (
    SELECT segment_id, count(*) AS hands FROM gone GROUP BY segment_id
)
UPDATE segments AS s SET taken = s.taken - hands.hands FROM hands WHERE s.segment_id = hands.segment_id;
