-- Forget what older labels said of people: the newest word replaces it, in the same transaction.
DELETE FROM annotator_quality;
