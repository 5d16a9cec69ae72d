-- Validation and test videos of other benchmarks, which never join the dataset: by the names that they go by ...
CREATE TABLE excluded_names (
    name text NOT NULL,
    benchmark text NOT NULL,
    subset text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, benchmark)
);

-- ... and by what they show.
CREATE TABLE excluded_media (
    video_id text PRIMARY KEY,
    benchmark text NOT NULL,
    name text NOT NULL,
    frame_hashes bigint[] NOT NULL,
    key_hashes bytea NOT NULL,
    since timestamptz NOT NULL DEFAULT now()
);
