-- Record a person's decision on a category that was not accepted; a second one on the same labels replaces the first.
INSERT INTO decisions (category, labels, decision, reason, person, covers, shortfalls)
VALUES (
    %(category)s::text, %(labels)s::text, %(decision)s::text, %(reason)s::text, %(person)s::text, %(covers)s::text[],
    %(shortfalls)s::double precision[]
)
ON CONFLICT (category, labels) DO UPDATE
SET
    decision = excluded.decision, reason = excluded.reason, person = excluded.person, covers = excluded.covers,
    shortfalls = excluded.shortfalls, decided_at = now();
