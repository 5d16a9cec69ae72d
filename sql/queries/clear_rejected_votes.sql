-- Forget what the last whole reading of a source did not set aside again: it is a vote now, or gone there.
DELETE FROM rejected_votes WHERE source = %(source)s::text AND read_at < %(read_at)s::timestamptz;
