-- What the newest labels say of people and of categories, for those who oversee them.

CREATE TABLE annotator_quality (
    annotator text NOT NULL REFERENCES annotators,
    -- NULL: all categories together.
    category text REFERENCES categories,
    labels text NOT NULL,
    answers bigint NOT NULL,
    sensitivity double precision[] NOT NULL CHECK (cardinality(sensitivity) = 3),
    specificity double precision[] NOT NULL CHECK (cardinality(specificity) = 3),
    gold bigint NOT NULL,
    gold_right bigint NOT NULL,
    seconds double precision NOT NULL,
    drift double precision,
    flags text[] NOT NULL
);
CREATE INDEX annotator_quality_category ON annotator_quality (category);

CREATE TABLE category_agreement (
    category text PRIMARY KEY REFERENCES categories,
    labels text NOT NULL,
    clips bigint NOT NULL,
    krippendorff double precision,
    cohen double precision,
    pairs bigint NOT NULL
);
