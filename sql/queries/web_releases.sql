-- Releases, newest first, with what became of the model that each one trained, and clips that may still be shown.
SELECT r.release,
       r.labels,
       r.label_count,
       cardinality(r.categories) AS categories,
       r.released_at,
       r.version,
       r.content,
       r.previous,
       r.added,
       r.changed,
       r.withdrawn,
       r.corrected,
       r.folder,
       p.committee,
       p.reason,
       p.decided_at,
       (
           SELECT coalesce(jsonb_agg(e.clip || jsonb_build_object('name', c.name) ORDER BY e.place), '[]')
             FROM jsonb_array_elements(r.preview) WITH ORDINALITY AS e (clip, place)
             JOIN categories AS c ON c.category = e.clip ->> 'category'
            WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = e.clip ->> 'video_id')
       ) AS clips
  FROM releases r
  LEFT JOIN promotions p USING (release)
 ORDER BY r.ordinal DESC
 LIMIT %(most)s::integer;
