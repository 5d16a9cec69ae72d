-- The vote about a segment with this id, if this person cast it: tells a repeated send from a refused one.
SELECT v.segment_id, v.answer, v.start_sec, v.end_sec
FROM segment_votes AS v
WHERE v.vote_id = %(vote_id)s::uuid AND v.annotator = %(annotator)s::text;
