-- What was decided about a release's network.
SELECT release, committee, reason, rescore, decided_at FROM promotions WHERE release = %(release)s::text;
