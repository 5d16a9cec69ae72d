-- Admit a video for a category, once.
INSERT INTO admissions (video_id, category, "window", candidate_id, source, source_id, published_at)
VALUES (%(video_id)s::text, %(category)s::text, %(window)s::date, %(candidate_id)s::text, %(source)s::text,
        %(source_id)s::text, %(published_at)s::timestamptz)
ON CONFLICT (video_id, category) DO NOTHING;
