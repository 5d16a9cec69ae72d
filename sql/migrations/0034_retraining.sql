-- What was decided each day on a release and a network trained on it.
CREATE TABLE retrain_decisions (
    day date PRIMARY KEY,
    retrain boolean NOT NULL,
    -- The release that is to be made or finished; NULL: none.
    release text,
    reason text NOT NULL,
    -- NULL: something else decided.
    new_labels bigint,
    age_days double precision,
    drift double precision,
    decided_at timestamptz NOT NULL DEFAULT now()
);
