-- The rendition that people see, where somebody compares two videos; NULL: unknown until the window is deduplicated again.
ALTER TABLE videos ADD COLUMN proxy_256 text;

-- Videos that were dropped since they show what an admitted one of the same category shows.
CREATE TABLE duplicates (
    category text NOT NULL REFERENCES categories,
    "window" date NOT NULL,
    candidate_id text NOT NULL,
    video_id text NOT NULL,
    -- The admitted one, and why the two are the same, in words.
    other_id text NOT NULL,
    evidence text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    proxy_256 text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (category, "window", candidate_id)
);
CREATE INDEX duplicates_pair ON duplicates (video_id, other_id);
CREATE INDEX duplicates_newest ON duplicates (since DESC, "window" DESC, category, candidate_id);

-- Pairs of which a person said that they differ: the two count as look-alikes no more.
CREATE TABLE told_apart (
    video_id text NOT NULL,
    other_id text NOT NULL,
    person text NOT NULL,
    reason text NOT NULL CHECK (length(reason) > 0),
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (video_id, other_id),
    CHECK (video_id < other_id)
);
