-- Segments of videos, proposed by a network, that people confirm, move or refuse; beside the queue of clips, since an
-- answer has two ends.
CREATE TABLE segments (
    segment_id text PRIMARY KEY,
    category text NOT NULL REFERENCES categories,
    video_id text NOT NULL REFERENCES videos,
    start_sec double precision NOT NULL CHECK (start_sec >= 0),
    end_sec double precision NOT NULL,
    -- How sure the network is of it.
    score double precision NOT NULL,
    -- Who proposed it, and in which round.
    origin text NOT NULL,
    round text NOT NULL,
    split text NOT NULL,
    proxy_256 text NOT NULL,
    fps double precision NOT NULL CHECK (fps > 0),
    duration_sec double precision NOT NULL,
    votes_wanted integer NOT NULL CHECK (votes_wanted > 0),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'finished')),
    queued_at timestamptz NOT NULL DEFAULT now(),
    -- Answers given and in people's hands.
    taken integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    CHECK (start_sec < end_sec AND end_sec <= duration_sec)
);
CREATE INDEX segments_round ON segments (round);
-- Holds what can be handed out and nothing else; what the network is surest of comes first.
CREATE INDEX segments_available ON segments (category, taken DESC, score DESC, segment_id)
WHERE state = 'open' AND taken < votes_wanted;

-- The segments without those of withdrawn videos: what every reader of them reads. A new column of the segments needs the
-- view made again.
CREATE VIEW live_segments AS
SELECT * FROM segments AS s
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = s.video_id);

-- A segment in somebody's hands, counted in segments.taken until it is answered or swept after its end. A swept one
-- counts no more, but it is still that person's to answer: it comes back first, and a late answer is taken.
CREATE TABLE segment_leases (
    segment_id text NOT NULL REFERENCES segments,
    annotator text NOT NULL REFERENCES annotators,
    expires_at timestamptz NOT NULL,
    lapsed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (annotator, segment_id)
);
CREATE INDEX segment_leases_segment ON segment_leases (segment_id);
CREATE INDEX segment_leases_expiry ON segment_leases (expires_at) WHERE NOT lapsed;

-- Append only. A correction is a new row that names the vote it supersedes. Only `moved` has ends of its own.
CREATE TABLE segment_votes (
    vote_id uuid PRIMARY KEY,
    segment_id text NOT NULL REFERENCES segments,
    annotator text NOT NULL REFERENCES annotators,
    answer text NOT NULL CHECK (answer IN ('right', 'moved', 'absent', 'unsure')),
    start_sec double precision CHECK (start_sec >= 0),
    end_sec double precision,
    seconds double precision NOT NULL CHECK (seconds >= 0),
    guideline_version integer NOT NULL,
    supersedes uuid UNIQUE REFERENCES segment_votes,
    cast_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((answer = 'moved') = (start_sec IS NOT NULL AND end_sec IS NOT NULL)),
    CHECK ((start_sec IS NULL) = (end_sec IS NULL) AND start_sec < end_sec)
);
CREATE UNIQUE INDEX segment_votes_once ON segment_votes (segment_id, annotator) WHERE supersedes IS NULL;
CREATE INDEX segment_votes_person ON segment_votes (annotator, cast_at);

-- An answer takes the place of the lease that asked for it; one without a lease takes a place of its own.
CREATE FUNCTION count_segment_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM segment_leases WHERE segment_id = NEW.segment_id AND annotator = NEW.annotator AND NOT lapsed;
    IF NOT FOUND THEN
        DELETE FROM segment_leases WHERE segment_id = NEW.segment_id AND annotator = NEW.annotator;
        UPDATE segments SET taken = taken + 1 WHERE segment_id = NEW.segment_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER segment_votes_taken AFTER INSERT ON segment_votes
FOR EACH ROW WHEN (NEW.supersedes IS NULL) EXECUTE FUNCTION count_segment_answer();

-- Segments whose ends an expert knows, mixed in unseen. NULL: the action is not there.
CREATE TABLE gold_segments (
    segment_id text PRIMARY KEY REFERENCES segments,
    start_sec double precision CHECK (start_sec >= 0),
    end_sec double precision,
    person text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    CHECK ((start_sec IS NULL) = (end_sec IS NULL) AND start_sec < end_sec)
);

-- A vote and its outbox row commit together, so that a vote which commits late is never skipped.
CREATE TABLE segment_outbox (
    vote_id uuid PRIMARY KEY REFERENCES segment_votes
);

CREATE TABLE segment_batches (
    batch integer PRIMARY KEY,
    vote_count bigint NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    -- Whether the batch's votes are in the store.
    is_stored boolean NOT NULL DEFAULT false
);

CREATE TABLE segment_batch_votes (
    vote_id uuid PRIMARY KEY REFERENCES segment_votes,
    batch integer NOT NULL REFERENCES segment_batches
);
CREATE INDEX segment_batch_votes_batch ON segment_batch_votes (batch);
