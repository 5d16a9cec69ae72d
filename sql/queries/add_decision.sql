-- Record a person's decision on a refused category; a second one on the same labels replaces the first.
INSERT INTO decisions (category, labels, decision, reason, person)
VALUES (%(category)s::text, %(labels)s::text, %(decision)s::text, %(reason)s::text, %(person)s::text)
ON CONFLICT (category, labels) DO UPDATE
SET decision = excluded.decision, reason = excluded.reason, person = excluded.person, decided_at = now();
