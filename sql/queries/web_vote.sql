-- The vote with this id, if this person cast it: tells a repeated send from a refused one.
SELECT v.clip_id, v.category, v.answer
  FROM votes v
 WHERE v.vote_id = %(vote_id)s::uuid
   AND v.annotator = %(annotator)s::text;
