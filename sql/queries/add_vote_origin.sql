-- Note where a vote comes from that was imported before origins were noted.
INSERT INTO vote_origins (vote_id, source, item) VALUES (%(vote_id)s::uuid, %(source)s::text, %(item)s::text)
ON CONFLICT (vote_id) DO NOTHING;
