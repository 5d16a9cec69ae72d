-- Record what was decided today; a later decision of the day replaces it, unless a release was begun.
INSERT INTO retrain_decisions (day, retrain, release, reason, new_labels, age_days, drift)
VALUES (
    %(day)s::date, %(retrain)s::boolean, %(release)s::text, %(reason)s::text, %(new_labels)s::bigint,
    %(age_days)s::double precision, %(drift)s::double precision
)
ON CONFLICT (day) DO UPDATE
SET
    retrain = excluded.retrain, release = excluded.release, reason = excluded.reason, new_labels = excluded.new_labels,
    age_days = excluded.age_days, drift = excluded.drift, decided_at = now()
WHERE NOT retrain_decisions.retrain;
