-- Put a proposed segment into the queue of segments. One that is there stays as it is, and one of a withdrawn video
-- stays out.
INSERT INTO segments
    (segment_id, category, video_id, start_sec, end_sec, score, origin, round, split, proxy_256, fps, duration_sec,
    votes_wanted)
SELECT
    %(segment_id)s::text, %(category)s::text, %(video_id)s::text, %(start_sec)s::double precision,
    %(end_sec)s::double precision, %(score)s::double precision, %(origin)s::text, %(round)s::text, %(split)s::text,
    %(proxy_256)s::text, %(fps)s::double precision, %(duration_sec)s::double precision, %(votes_wanted)s::integer
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = %(video_id)s::text)
ON CONFLICT (segment_id) DO NOTHING;
