-- What one annotator has done today (UTC): clips answered, and the median time of an answer in seconds.
SELECT count(*) AS today,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY v.seconds) AS pace_sec
  FROM votes v
 WHERE v.annotator = %(annotator)s::text
   AND v.supersedes IS NULL
   AND v.cast_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
