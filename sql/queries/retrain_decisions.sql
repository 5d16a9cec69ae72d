-- What was decided on the last days on which a plan ran, the newest first.
SELECT day, retrain, release, reason, new_labels, age_days, drift
FROM retrain_decisions ORDER BY day DESC LIMIT %(days)s::integer;
