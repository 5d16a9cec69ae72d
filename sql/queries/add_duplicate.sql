-- Record a video that was dropped since it shows what an admitted one shows; a second time replaces the first.
INSERT INTO duplicates (category, "window", candidate_id, video_id, other_id, evidence, source, source_id, proxy_256)
VALUES (
    %(category)s::text, %(window)s::date, %(candidate_id)s::text, %(video_id)s::text, %(other_id)s::text,
    %(evidence)s::text, %(source)s::text, %(source_id)s::text, %(proxy_256)s::text
)
ON CONFLICT (category, "window", candidate_id) DO UPDATE SET
    video_id = excluded.video_id, other_id = excluded.other_id, evidence = excluded.evidence, source = excluded.source,
    source_id = excluded.source_id, proxy_256 = excluded.proxy_256;
