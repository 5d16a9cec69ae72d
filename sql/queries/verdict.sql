-- The gate's verdict on a category of a version of the labels.
SELECT labels, category, verdict, reasons, failed, shortfalls, judged_at
FROM verdicts
WHERE labels = %(labels)s::text AND category = %(category)s::text;
