-- Record the gate's verdict on a category of a version of the labels; judged again, the newer one stands.
INSERT INTO verdicts (labels, category, verdict, reasons, failed, shortfalls)
VALUES (
    %(labels)s::text, %(category)s::text, %(verdict)s::text, %(reasons)s::text[], %(failed)s::text[],
    %(shortfalls)s::double precision[]
)
ON CONFLICT (labels, category) DO UPDATE
SET
    verdict = excluded.verdict, reasons = excluded.reasons, failed = excluded.failed, shortfalls = excluded.shortfalls,
    judged_at = now();
