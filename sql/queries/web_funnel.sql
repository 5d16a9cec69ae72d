-- The funnel by category: videos admitted, clips asked, answered and finished, people's time, and the newest judgement.
WITH admitted AS (
    SELECT a.category, count(*) AS videos, count(DISTINCT a."window") AS windows
      FROM admissions a
     WHERE NOT EXISTS (SELECT FROM tombstones t WHERE t.video_id = a.video_id)
     GROUP BY a.category
), asked AS (
    SELECT q.category,
           count(*) AS asked,
           count(*) FILTER (WHERE q.state = 'finished') AS finished,
           count(*) FILTER (WHERE q.state = 'open') AS open
      FROM queue q
     WHERE q.state <> 'withdrawn'
     GROUP BY q.category
), cast_votes AS (
    SELECT v.category,
           count(DISTINCT v.clip_id) AS answered,
           count(*) FILTER (WHERE v.supersedes IS NULL) AS votes,
           sum(v.seconds) AS seconds
      FROM votes v
     GROUP BY v.category
), judged AS (
    SELECT j.category, j.standing FROM judgements j WHERE j.labels = (SELECT max(labels) FROM verdicts)
)
SELECT c.category,
       c.name,
       coalesce(admitted.videos, 0) AS videos,
       coalesce(admitted.windows, 0) AS windows,
       coalesce(asked.asked, 0) AS asked,
       coalesce(asked.open, 0) AS open,
       coalesce(cast_votes.answered, 0) AS answered,
       coalesce(asked.finished, 0) AS finished,
       coalesce(cast_votes.votes, 0) AS votes,
       coalesce(cast_votes.seconds, 0) AS seconds,
       judged.standing,
       (SELECT count(*) FROM releases r WHERE c.category = ANY (r.categories)) AS releases
  FROM categories c
  LEFT JOIN admitted USING (category)
  LEFT JOIN asked USING (category)
  LEFT JOIN cast_votes USING (category)
  LEFT JOIN judged USING (category)
 ORDER BY c.name, c.category;
