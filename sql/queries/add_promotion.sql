-- Record the decision on a release's network, once.
INSERT INTO promotions (release, committee, reason, rescore)
VALUES (%(release)s::text, %(committee)s::text, %(reason)s::text, %(rescore)s::date[])
ON CONFLICT (release) DO NOTHING;
