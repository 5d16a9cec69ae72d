-- The review service under strangers: sessions that a logout ends, and clips that were once in somebody's hands.

CREATE TABLE sessions (
    session text PRIMARY KEY,
    annotator text NOT NULL REFERENCES annotators,
    ends_at timestamptz NOT NULL
);
CREATE INDEX sessions_end ON sessions (ends_at);

CREATE TABLE lapsed_leases (
    clip_id text NOT NULL,
    category text NOT NULL,
    annotator text NOT NULL REFERENCES annotators,
    PRIMARY KEY (annotator, category, clip_id),
    FOREIGN KEY (clip_id, category) REFERENCES queue
);

CREATE OR REPLACE FUNCTION count_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM lapsed_leases
    WHERE clip_id = NEW.clip_id AND category = NEW.category AND annotator = NEW.annotator;
    DELETE FROM leases
    WHERE clip_id = NEW.clip_id AND category = NEW.category AND annotator = NEW.annotator;
    IF NOT FOUND THEN
        UPDATE queue SET taken = taken + 1 WHERE clip_id = NEW.clip_id AND category = NEW.category;
    END IF;
    RETURN NULL;
END
$$;
