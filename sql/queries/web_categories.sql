-- Categories as one annotator sees them: clips still open to that person, and clips that the person has answered.
SELECT c.category,
       c.name,
       c.guideline,
       c.guideline_version,
       coalesce(q.open, 0) AS open,
       coalesce(mine.answered, 0) AS answered
  FROM categories c
  LEFT JOIN (
        SELECT queue.category, count(*) AS open
          FROM queue
         WHERE queue.state = 'open'
           AND NOT EXISTS (
                SELECT FROM votes v
                 WHERE v.clip_id = queue.clip_id
                   AND v.category = queue.category
                   AND v.annotator = %(annotator)s::text)
           AND NOT EXISTS (SELECT FROM tombstones t WHERE t.video_id = queue.video_id)
         GROUP BY queue.category
       ) q USING (category)
  LEFT JOIN (
        SELECT votes.category, count(*) AS answered
          FROM votes
         WHERE votes.annotator = %(annotator)s::text
           AND votes.supersedes IS NULL
         GROUP BY votes.category
       ) mine USING (category)
 ORDER BY coalesce(q.open, 0) = 0, c.name, c.category;
