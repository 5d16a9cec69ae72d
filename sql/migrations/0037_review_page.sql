-- What the review page keeps besides answers: who was introduced, what was flagged, when gold was shown.
ALTER TABLE annotators ADD COLUMN introduced_at timestamptz;

CREATE INDEX votes_fast ON votes (annotator) WHERE seconds < 0.5 AND set_id IS NULL;

CREATE TABLE feedbacks (
    annotator text NOT NULL REFERENCES annotators,
    category text NOT NULL REFERENCES categories,
    shown_at timestamptz NOT NULL DEFAULT now(),
    answers bigint NOT NULL,
    PRIMARY KEY (annotator, category, shown_at)
);

CREATE TABLE flags (
    flag_id uuid PRIMARY KEY,
    clip_id text NOT NULL,
    category text NOT NULL,
    annotator text NOT NULL REFERENCES annotators,
    comment text NOT NULL CHECK (length(comment) <= 500),
    flagged_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (clip_id, category) REFERENCES queue
);
CREATE INDEX flags_newest ON flags (flagged_at DESC);
CREATE INDEX flags_clip ON flags (clip_id, category);
