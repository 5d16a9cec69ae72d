-- A category may be retired: it is not collected, scored, asked, judged or released any more. What was made stays.
ALTER TABLE categories ADD COLUMN retired_at timestamptz;

-- What leads decided, append only: at the desk, by a command, or in answer to Airflow's question.
CREATE TABLE rulings (
    ruling integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (
        kind IN (
            'approve', 'reject', 'retire', 'restore', 'settle', 'return', 'gold', 'example', 'forget', 'ask again'
        )
    ),
    category text NOT NULL REFERENCES categories,
    -- NULL: it is about the whole category, or about a person's answers.
    clip_id text,
    -- Version of the labels that a decision on a category is about.
    labels text,
    -- What the clip shows, where the ruling says it.
    answer text CHECK (answer IN ('yes', 'no')),
    -- Whose answers are asked again; NULL: it is not about a person.
    annotator text,
    reason text NOT NULL CHECK (length(reason) > 0),
    person text NOT NULL,
    ruled_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (clip_id, category) REFERENCES queue,
    CHECK ((clip_id IS NOT NULL) = (kind IN ('settle', 'return', 'gold', 'example', 'forget'))),
    CHECK ((answer IS NOT NULL) = (kind IN ('settle', 'gold', 'example'))),
    CHECK ((annotator IS NOT NULL) = (kind = 'ask again')),
    CHECK ((labels IS NOT NULL) = (kind IN ('approve', 'reject')))
);
CREATE INDEX rulings_category ON rulings (category, ruling);
CREATE INDEX rulings_clip ON rulings (clip_id, category, ruling) WHERE clip_id IS NOT NULL;

-- With which batch of votes a ruling on a clip's label takes effect; none yet: with the next one.
CREATE TABLE batch_rulings (
    ruling integer PRIMARY KEY REFERENCES rulings,
    batch integer NOT NULL REFERENCES batches
);
CREATE INDEX batch_rulings_batch ON batch_rulings (batch);
