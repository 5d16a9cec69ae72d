-- Set an answer from elsewhere aside. It is set aside since now where it was not before, or for another reason.
INSERT INTO rejected_votes AS r (source, item, reason, detail, read_at)
VALUES (%(source)s::text, %(item)s::text, %(reason)s::text, %(detail)s::text, %(read_at)s::timestamptz)
ON CONFLICT (source, item) DO UPDATE SET
    since = CASE WHEN r.reason = excluded.reason THEN r.since ELSE excluded.since END,
    reason = excluded.reason, detail = excluded.detail, read_at = excluded.read_at;
