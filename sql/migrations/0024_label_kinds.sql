-- What the newest certificates say of the labels of each kind, for the pages.
CREATE TABLE label_kinds (
    -- NULL: all categories together.
    category text REFERENCES categories,
    kind text NOT NULL CHECK (kind IN ('people', 'carried', 'model')),
    labels text NOT NULL,
    label_count bigint NOT NULL,
    certified bigint NOT NULL,
    -- NULL: nothing is certified.
    threshold double precision,
    bound double precision,
    wanted double precision NOT NULL,
    level double precision NOT NULL,
    -- NULL: something is certified, or no number is enough.
    answers_needed bigint,
    gold_needed bigint,
    UNIQUE NULLS NOT DISTINCT (category, kind)
);

-- What people gave for these labels: every answer up to their version.
CREATE TABLE label_costs (
    category text PRIMARY KEY REFERENCES categories,
    labels text NOT NULL,
    answers bigint NOT NULL,
    seconds double precision NOT NULL,
    -- Clips drawn by lot with two answers of yes or no, and those of them whose first two answers differ.
    twice bigint NOT NULL,
    differ bigint NOT NULL CHECK (differ <= twice)
);
