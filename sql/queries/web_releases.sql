-- Releases, newest first, with what became of the model that each one trained.
SELECT r.release,
       r.labels,
       r.label_count,
       cardinality(r.categories) AS categories,
       r.released_at,
       p.committee,
       p.reason,
       p.decided_at
  FROM releases r
  LEFT JOIN promotions p USING (release)
 ORDER BY r.ordinal DESC
 LIMIT %(most)s::integer;
