-- When the newest answer was given that the ledger holds; null: there is none. Reads every vote: for `slac doctor` alone.
SELECT greatest((SELECT max(cast_at) FROM votes), (SELECT max(cast_at) FROM segment_votes)) AS cast_at;
