-- Record the gate's verdict on a category of a version of the labels; judged again, the newer one stands.
INSERT INTO verdicts (labels, category, verdict, reasons)
VALUES (%(labels)s::text, %(category)s::text, %(verdict)s::text, %(reasons)s::text[])
ON CONFLICT (labels, category) DO UPDATE
SET verdict = excluded.verdict, reasons = excluded.reasons, judged_at = now();
