-- The ledger: identity, admission, the queue, votes and versions. Equal to all migrations applied in order (tested).
-- Rows and bytes live in the store. Times are timestamptz; durations are seconds as double precision.

CREATE TABLE migrations (
    version integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Identity ------------------------------------------------------------------------------------------------------

CREATE TABLE categories (
    category text PRIMARY KEY CHECK (category ~ '^[a-z0-9]+(_[a-z0-9]+)*$'),
    name text NOT NULL,
    guideline text NOT NULL DEFAULT '',
    guideline_version integer NOT NULL DEFAULT 1,
    registered_at timestamptz NOT NULL DEFAULT now(),
    -- The group of people who review it; NULL: everybody.
    reviewers text,
    -- From then on it is not collected, scored, asked, judged or released; what was made stays. NULL: it is at work.
    retired_at timestamptz
);

-- What people asked of a category that was added: past windows, a budget, a floor, and whether it goes on.
CREATE TABLE category_plans (
    category text PRIMARY KEY REFERENCES categories,
    -- Mondays; NULL: no bound.
    first_window date,
    last_window date,
    -- Videos of past windows after which no further window is begun; NULL: no budget.
    videos_most integer CHECK (videos_most > 0),
    -- Share of positives that must be right, at the lower end; NULL: what the settings say.
    floor double precision CHECK (floor >= 0 AND floor < 1),
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'cancelled')),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CHECK (first_window <= last_window)
);

-- What a source has ever offered: an undated candidate belongs to the window that saw it first.
CREATE TABLE candidates (
    candidate_id text NOT NULL,
    category text NOT NULL REFERENCES categories,
    "window" date NOT NULL,
    PRIMARY KEY (candidate_id, category)
);

CREATE TABLE videos (
    video_id text PRIMARY KEY,
    media_sha256 text NOT NULL UNIQUE,
    group_id text NOT NULL REFERENCES videos (video_id) DEFERRABLE INITIALLY DEFERRED,
    split text NOT NULL CHECK (split IN ('training', 'validation', 'testing')),
    -- Its fingerprint; none: unknown.
    frame_hashes bigint[] NOT NULL,
    admitted_at timestamptz NOT NULL DEFAULT now(),
    -- Some of the fingerprint's hashes, 8 bytes each: what the index of all videos is built from.
    key_hashes bytea NOT NULL DEFAULT '',
    -- The rendition that people see, where somebody compares two videos; NULL: unknown until the window is deduplicated
    -- again.
    proxy_256 text
);
CREATE INDEX videos_group ON videos (group_id);

-- The same media may be retrieved for several categories: one video, a row for each.
CREATE TABLE admissions (
    video_id text NOT NULL REFERENCES videos,
    category text NOT NULL REFERENCES categories,
    "window" date NOT NULL,
    candidate_id text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (video_id, category)
);
-- Whether a window is the first of its category to admit something.
CREATE INDEX admissions_window ON admissions (category, "window");

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

-- Takedowns and exclusions: every read and the queue leave these out; nothing is rewritten.
CREATE TABLE tombstones (
    video_id text PRIMARY KEY,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    -- The version of the labels that first left the video out; NULL: none yet.
    labels text
);
CREATE INDEX tombstones_unlabelled ON tombstones (video_id) WHERE labels IS NULL;

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

-- What exists in the store ------------------------------------------------------------------------------------------

-- One row per generation. The plans read these rows and no manifests. NULL: unknown until the ledger is reconciled.
CREATE TABLE datasets (
    address text NOT NULL,
    generation integer NOT NULL,
    manifest_sha256 text NOT NULL,
    row_count bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    dataset text NOT NULL,
    version integer NOT NULL,
    keys jsonb NOT NULL,
    -- Items that were dropped and that a later try may get.
    retryable bigint,
    -- Address of a dataset or name of weights -> generation and hash.
    made_from jsonb,
    -- The sections of the settings that shaped it.
    settings jsonb,
    written_at timestamptz,
    PRIMARY KEY (address, generation),
    -- How many items it set aside, by reason; NULL: unknown until reconcile.
    dropped jsonb,
    -- The same for generations that hold the same rows.
    contents text,
    -- How the manifest of a later dataset names this generation.
    mark text NOT NULL GENERATED ALWAYS AS (
        'g' || lpad(generation::text, greatest(4, length(generation::text)), '0') || ':' || manifest_sha256
    ) STORED
);
CREATE INDEX datasets_current ON datasets (dataset, keys, version DESC, generation DESC);
CREATE INDEX datasets_unknown ON datasets (address) WHERE contents IS NULL;
-- The newest version of the labels that a dataset has.
CREATE INDEX datasets_labels ON datasets (dataset, (keys ->> 'labels')) WHERE keys ->> 'labels' IS NOT NULL;
-- What was made from an input that has been made again is found by the input: few are.
CREATE INDEX datasets_remade ON datasets (address) WHERE generation > 1;
CREATE INDEX datasets_made_from ON datasets USING gin (made_from);

-- What readers see: of every partition the newest version, and of that the newest generation.
CREATE VIEW current_datasets AS
SELECT DISTINCT ON (dataset, keys)
    address, generation, manifest_sha256, row_count, dataset, version, keys, retryable, made_from, settings, written_at,
    dropped, contents, mark
FROM datasets
ORDER BY dataset, keys, version DESC, generation DESC;

CREATE TABLE committees (
    committee text PRIMARY KEY,
    ordinal integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    origin text NOT NULL,
    categories text[] NOT NULL,
    current_since timestamptz NOT NULL DEFAULT now()
);

-- Verification ------------------------------------------------------------------------------------------------------

CREATE TABLE annotators (
    annotator text PRIMARY KEY,
    active boolean NOT NULL DEFAULT true,
    since timestamptz NOT NULL DEFAULT now(),
    -- Salted scrypt; NULL: no login of the service's own.
    password text,
    groups text[] NOT NULL DEFAULT '{}',
    -- A lead also sees funnel and quality.
    role text NOT NULL DEFAULT 'reviewer' CHECK (role IN ('reviewer', 'lead')),
    -- When the review page had said what is recorded and who sees it; NULL: not yet.
    introduced_at timestamptz
);

-- People who were forgotten: that it was done, and when.
CREATE TABLE forgotten (
    pseudonym text PRIMARY KEY,
    -- The name, until nothing holds it any more; NULL: it is done.
    name text UNIQUE,
    since timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz
);

-- Logins to the review service that are open. A logout deletes the row, and the next login the rows that are over.
CREATE TABLE sessions (
    session text PRIMARY KEY,
    annotator text NOT NULL REFERENCES annotators,
    ends_at timestamptz NOT NULL
);
CREATE INDEX sessions_end ON sessions (ends_at);

CREATE TABLE queue (
    clip_id text NOT NULL,
    category text NOT NULL REFERENCES categories,
    video_id text NOT NULL REFERENCES videos,
    round text NOT NULL,
    strategy text NOT NULL
        CHECK (
            strategy IN (
                'disagreement', 'consensus', 'random', 'entropy', 'coverage', 'unsure_coverage', 'lot', 'contradiction',
                'segment', 'companion'
            )
        ),
    start_sec double precision NOT NULL,
    end_sec double precision NOT NULL,
    split text NOT NULL,
    proxy_256 text NOT NULL,
    votes_wanted integer NOT NULL CHECK (votes_wanted > 0),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'finished', 'withdrawn')),
    queued_at timestamptz NOT NULL DEFAULT now(),
    -- Answers given and in people's hands.
    taken integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    -- Where in its category the clip lies: chance spreads people over it.
    place double precision NOT NULL DEFAULT random(),
    -- Answers that the clip wants before anything is decided; votes_wanted may grow, this does not.
    votes_first integer NOT NULL DEFAULT 2 CHECK (votes_first > 0),
    -- Whether a second person is asked although the label stands.
    again boolean NOT NULL DEFAULT false,
    -- People are asked until one side has so many answers more; 0: none has to.
    lead integer NOT NULL DEFAULT 0 CHECK (lead >= 0),
    -- Clips of which this is the same look alike, and may be asked together; NULL: it is asked alone.
    alike text,
    -- Share of the chosen clips that was audited when this one was queued: the chance of its lot, whatever the setting is
    -- now. NULL: it was queued before this was kept.
    audit_share double precision CHECK (audit_share BETWEEN 0 AND 1),
    PRIMARY KEY (clip_id, category)
);
-- A page of the clips of a round looks at so many of them at a time, from one on.
CREATE INDEX queue_round ON queue (category, round, clip_id);
-- The clips of a video that is withdrawn.
CREATE INDEX queue_video ON queue (video_id);
-- Holds what can be handed out and nothing else: a clip that has enough answers and hands leaves it.
CREATE INDEX queue_available ON queue (category, taken DESC, place) WHERE state = 'open' AND taken < votes_wanted;
-- The same for sets.
CREATE INDEX queue_alike ON queue (category, taken DESC, alike)
WHERE state = 'open' AND taken < votes_wanted AND alike IS NOT NULL;
CREATE INDEX queue_finished ON queue (category, place) WHERE state = 'finished';

-- The queue without the clips of withdrawn videos: what every reader of the queue reads. A new column of the queue needs
-- the view made again.
CREATE VIEW live_queue AS
SELECT * FROM queue AS q
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id);

-- A clip in somebody's hands, counted in queue.taken until it is answered or swept after its end.
CREATE TABLE leases (
    clip_id text NOT NULL,
    category text NOT NULL,
    annotator text NOT NULL REFERENCES annotators,
    expires_at timestamptz NOT NULL,
    -- With which other clips it was handed out; NULL: alone.
    set_id uuid,
    PRIMARY KEY (clip_id, category, annotator),
    FOREIGN KEY (clip_id, category) REFERENCES queue
);
CREATE INDEX leases_expiry ON leases (expires_at);
CREATE INDEX leases_person ON leases (annotator, category);

-- A clip that was in somebody's hands and was swept unanswered. It counts no more, but it is still that person's to answer:
-- it comes back first, and a late answer is taken.
CREATE TABLE lapsed_leases (
    clip_id text NOT NULL,
    category text NOT NULL,
    annotator text NOT NULL REFERENCES annotators,
    set_id uuid,
    PRIMARY KEY (annotator, category, clip_id),
    FOREIGN KEY (clip_id, category) REFERENCES queue
);

-- Append only. A correction is a new row that names the vote it supersedes.
CREATE TABLE votes (
    vote_id uuid PRIMARY KEY,
    clip_id text NOT NULL,
    category text NOT NULL,
    annotator text NOT NULL REFERENCES annotators,
    answer text NOT NULL CHECK (answer IN ('yes', 'no', 'unsure', 'broken')),
    seconds double precision NOT NULL CHECK (seconds >= 0),
    guideline_version integer NOT NULL,
    supersedes uuid UNIQUE REFERENCES votes,
    cast_at timestamptz NOT NULL DEFAULT now(),
    -- The set in which the person saw the clip and answered it with the others; NULL: alone.
    set_id uuid,
    FOREIGN KEY (clip_id, category) REFERENCES queue
);
CREATE INDEX votes_set ON votes (set_id) WHERE set_id IS NOT NULL;
CREATE INDEX votes_pace ON votes (category, cast_at);
CREATE UNIQUE INDEX votes_once ON votes (clip_id, category, annotator) WHERE supersedes IS NULL;
-- Corrections of the answers to a clip; `votes_once` finds the answers themselves.
CREATE INDEX votes_corrections ON votes (clip_id, category) WHERE supersedes IS NOT NULL;
-- A page of the clips of a person looks at so many of the answers at a time, from one on.
CREATE INDEX votes_person ON votes (annotator, category, cast_at, clip_id);
-- Answers to single clips that came fast: few, and the People page counts the fastest of them.
CREATE INDEX votes_fast ON votes (annotator) WHERE seconds < 0.5 AND set_id IS NULL;

-- Where a vote comes from that was given elsewhere: what is deleted there is found by its item.
CREATE TABLE vote_origins (
    vote_id uuid PRIMARY KEY REFERENCES votes,
    source text NOT NULL,
    item text NOT NULL
);
CREATE INDEX vote_origins_item ON vote_origins (source, item);

-- Answers from elsewhere that are no votes, as the last reading of each source left them.
CREATE TABLE rejected_votes (
    source text NOT NULL,
    item text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    -- Set aside for this reason since.
    since timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz NOT NULL,
    PRIMARY KEY (source, item)
);

-- An answer takes the place of the lease that asked for it; one without a lease takes a place of its own.
CREATE FUNCTION count_answer() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER votes_taken AFTER INSERT ON votes
FOR EACH ROW WHEN (NEW.supersedes IS NULL) EXECUTE FUNCTION count_answer();

-- Clips whose answer an expert knows: gold is mixed in unseen, an example is shown beside the guideline.
CREATE TABLE known_answers (
    clip_id text NOT NULL,
    category text NOT NULL,
    answer text NOT NULL CHECK (answer IN ('yes', 'no')),
    purpose text NOT NULL CHECK (purpose IN ('gold', 'example')),
    person text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (clip_id, category),
    FOREIGN KEY (clip_id, category) REFERENCES queue
);
CREATE INDEX known_answers_purpose ON known_answers (category, purpose);

-- When a person was shown on which gold of a batch an expert said otherwise. What was answered before it stands.
CREATE TABLE feedbacks (
    annotator text NOT NULL REFERENCES annotators,
    category text NOT NULL REFERENCES categories,
    shown_at timestamptz NOT NULL DEFAULT now(),
    answers bigint NOT NULL,
    -- When the person's page said that it showed it; NULL: not yet, so that it is told once more.
    seen_at timestamptz,
    PRIMARY KEY (annotator, category, shown_at)
);

-- Append only: what people found odd about a clip that they were asked about, for leads.
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

-- A vote and its outbox row commit together, so that a vote which commits late is never skipped.
CREATE TABLE outbox (
    vote_id uuid PRIMARY KEY REFERENCES votes
);

CREATE TABLE batches (
    batch integer PRIMARY KEY,
    vote_count bigint NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    -- Whether the batch's votes are in the store.
    is_stored boolean NOT NULL DEFAULT false
);
CREATE INDEX batches_unstored ON batches (batch) WHERE NOT is_stored;

CREATE TABLE batch_votes (
    vote_id uuid PRIMARY KEY REFERENCES votes,
    batch integer NOT NULL REFERENCES batches
);
CREATE INDEX batch_votes_batch ON batch_votes (batch);

-- Segments ----------------------------------------------------------------------------------------------------------

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

-- Counts --------------------------------------------------------------------------------------------------------------

-- No sum of people's time meets an answer of more than a day: such a one was given elsewhere, before there was a bound.
CREATE FUNCTION counted_seconds(seconds double precision) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT least(seconds, 86400.0)
$$;

-- What the pages count of each category. Nobody counts the queue or the votes: what inserts or changes rows also appends
-- what changed, and `sync` adds the changes up. Appending takes no lock that somebody else waits for.
CREATE TABLE category_counts (
    category text PRIMARY KEY REFERENCES categories,
    videos bigint NOT NULL DEFAULT 0,
    windows bigint NOT NULL DEFAULT 0,
    asked bigint NOT NULL DEFAULT 0,
    open bigint NOT NULL DEFAULT 0,
    finished bigint NOT NULL DEFAULT 0,
    answered bigint NOT NULL DEFAULT 0,
    votes bigint NOT NULL DEFAULT 0,
    seconds double precision NOT NULL DEFAULT 0
);
CREATE TABLE category_count_changes (
    -- No foreign key: its check would have everybody who votes lock the row of the category.
    category text NOT NULL,
    videos bigint NOT NULL DEFAULT 0,
    windows bigint NOT NULL DEFAULT 0,
    asked bigint NOT NULL DEFAULT 0,
    open bigint NOT NULL DEFAULT 0,
    finished bigint NOT NULL DEFAULT 0,
    answered bigint NOT NULL DEFAULT 0,
    votes bigint NOT NULL DEFAULT 0,
    seconds double precision NOT NULL DEFAULT 0
);

-- What they are at this moment.
CREATE VIEW current_counts AS
SELECT
    category, sum(videos)::bigint AS videos, sum(windows)::bigint AS windows, sum(asked)::bigint AS asked,
    sum(open)::bigint AS open, sum(finished)::bigint AS finished, sum(answered)::bigint AS answered,
    sum(votes)::bigint AS votes, sum(seconds) AS seconds
FROM (SELECT * FROM category_counts UNION ALL SELECT * FROM category_count_changes) AS counted
GROUP BY category;

-- Whoever comes second of two that admit and withdraw waits, and then sees what the other has written.
CREATE FUNCTION count_admissions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7221416);
    INSERT INTO category_count_changes (category, videos, windows)
    SELECT
        n.category,
        count(*) FILTER (WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = n.video_id)),
        count(DISTINCT n."window") FILTER (
            WHERE NOT EXISTS (
                SELECT FROM admissions AS a
                WHERE
                    a.category = n.category AND a."window" = n."window"
                    AND a.video_id NOT IN (SELECT i.video_id FROM inserted AS i WHERE i.category = n.category)
            )
        )
    FROM inserted AS n
    GROUP BY n.category;
    RETURN NULL;
END
$$;
CREATE TRIGGER admissions_counted AFTER INSERT ON admissions
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION count_admissions();

CREATE FUNCTION count_tombstones() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7221416);
    INSERT INTO category_count_changes (category, videos)
    SELECT a.category, -count(*) FROM inserted JOIN admissions AS a USING (video_id) GROUP BY a.category;
    RETURN NULL;
END
$$;
CREATE TRIGGER tombstones_counted AFTER INSERT ON tombstones
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION count_tombstones();

CREATE FUNCTION count_queued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO category_count_changes (category, asked, open, finished)
    SELECT
        category, count(*) FILTER (WHERE state <> 'withdrawn'), count(*) FILTER (WHERE state = 'open'),
        count(*) FILTER (WHERE state = 'finished')
    FROM inserted
    GROUP BY category;
    RETURN NULL;
END
$$;
CREATE TRIGGER queue_counted AFTER INSERT ON queue
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION count_queued();

-- For each row, so that it can leave out what a lease or an answer updates.
CREATE FUNCTION count_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO category_count_changes (category, asked, open, finished)
    VALUES (
        NEW.category,
        (NEW.state <> 'withdrawn')::integer - (OLD.state <> 'withdrawn')::integer,
        (NEW.state = 'open')::integer - (OLD.state = 'open')::integer,
        (NEW.state = 'finished')::integer - (OLD.state = 'finished')::integer
    );
    RETURN NULL;
END
$$;
CREATE TRIGGER queue_state_counted AFTER UPDATE OF state ON queue
FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION count_state();

-- Whoever votes holds the clip's row in the queue until commit, so only one vote is the first on a clip.
CREATE FUNCTION count_votes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO category_count_changes (category, answered, votes, seconds)
    SELECT
        n.category,
        count(DISTINCT n.clip_id) FILTER (
            WHERE n.supersedes IS NULL AND NOT EXISTS (
                SELECT FROM votes AS v
                WHERE
                    v.clip_id = n.clip_id AND v.category = n.category AND v.supersedes IS NULL
                    AND v.vote_id NOT IN (SELECT i.vote_id FROM inserted AS i)
            )
        ),
        count(*) FILTER (WHERE n.supersedes IS NULL),
        sum(counted_seconds(n.seconds))
    FROM inserted AS n
    GROUP BY n.category;
    RETURN NULL;
END
$$;
CREATE TRIGGER votes_counted AFTER INSERT ON votes
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION count_votes();

-- What the clips of the queue have in common, for the pages: a filter is a choice of these rows, and nobody counts clips.
CREATE TABLE clip_facets (
    facet integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category text NOT NULL REFERENCES categories,
    strategy text NOT NULL,
    split text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('unanswered', 'open', 'yes', 'no', 'unsettled', 'broken')),
    -- Whose word the verdict is.
    kind text NOT NULL CHECK (kind IN ('none', 'people', 'sets', 'lead')),
    -- Of the committee's joint score, from 0 to 9; NULL: unknown.
    tenth smallint CHECK (tenth BETWEEN 0 AND 9),
    clips bigint NOT NULL,
    UNIQUE NULLS NOT DISTINCT (category, strategy, split, verdict, kind, tenth)
);

-- Clips of the queue as the pages filter and sort them: listed when they are published, and brought up to date with each
-- version of the labels. Beside the queue, whose rows change with every answer.
CREATE TABLE listed_clips (
    clip_id text NOT NULL,
    category text NOT NULL,
    facet integer NOT NULL REFERENCES clip_facets,
    -- The committee's joint score in the round in which the clip was chosen; NULL: unknown.
    score real,
    -- Share of yes or no that is fewer, 0 to 0.5.
    dispute real NOT NULL,
    -- How near the score is to 0.5: 1 there, 0 at 0 and 1; -1: unknown.
    doubt real NOT NULL,
    queued_at timestamptz NOT NULL,
    PRIMARY KEY (clip_id, category),
    FOREIGN KEY (clip_id, category) REFERENCES queue
);
-- A page is the head of the index of each facet that it wants, merged.
CREATE INDEX listed_clips_newest ON listed_clips (facet, queued_at, clip_id);
CREATE INDEX listed_clips_disputed ON listed_clips (facet, dispute, clip_id);
CREATE INDEX listed_clips_unsure ON listed_clips (facet, doubt, clip_id);

-- What is withdrawn is listed no more: a page would read past it, and its filters would count it.
CREATE FUNCTION delist_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- As lock_listing.sql does.
    PERFORM pg_advisory_xact_lock(7221415);
    WITH gone AS (
        DELETE FROM listed_clips AS l
        USING inserted AS i, queue AS q
        WHERE q.video_id = i.video_id AND (l.clip_id, l.category) = (q.clip_id, q.category)
        RETURNING l.facet
    )
    UPDATE clip_facets AS f
    SET clips = f.clips - g.clips
    FROM (SELECT facet, count(*) AS clips FROM gone GROUP BY facet) AS g
    WHERE f.facet = g.facet;
    RETURN NULL;
END
$$;
CREATE TRIGGER tombstones_delisted AFTER INSERT ON tombstones
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION delist_withdrawn();

-- Judgement -----------------------------------------------------------------------------------------------------------

-- One row per judged category and version of the labels.
CREATE TABLE verdicts (
    labels text NOT NULL,
    category text NOT NULL REFERENCES categories,
    verdict text NOT NULL CHECK (verdict IN ('accepted', 'refused', 'pending')),
    -- In words, with the value found and the value wanted.
    reasons text[] NOT NULL,
    judged_at timestamptz NOT NULL DEFAULT now(),
    -- The names of the reasons: the measures that lie outside their range.
    failed text[] NOT NULL,
    -- How far outside each lies, in units of the measure; NULL: the measure is unknown.
    shortfalls double precision[] NOT NULL,
    PRIMARY KEY (labels, category),
    CHECK (cardinality(failed) = cardinality(reasons) AND cardinality(shortfalls) = cardinality(reasons))
);

-- What a category is judged by, at the version of the labels at which its labels changed.
CREATE TABLE measures (
    labels text NOT NULL,
    category text NOT NULL REFERENCES categories,
    -- Its place among the measures of the category, from 0.
    place integer NOT NULL,
    measure text NOT NULL,
    -- The kind of label whose precision it is; NULL: it is another measure.
    kind text CHECK (kind IN ('people', 'carried', 'model', 'imported')),
    -- NULL: there is nothing to measure.
    value double precision,
    -- Ends of the 95 % interval; NULL: a count has none.
    low double precision,
    high double precision,
    clip_count bigint NOT NULL,
    -- The range wanted; NULL: it is open on this side.
    least double precision,
    most double precision,
    state text NOT NULL CHECK (state IN ('met', 'outside', 'unclear', 'shown')),
    -- Answers more, at least, after which it could be met; NULL: it is, or nobody knows.
    needed bigint,
    PRIMARY KEY (category, labels, place)
);

-- What the newest labels say of each person: (mean, low, high) of 95 % credible intervals.
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
    flags text[] NOT NULL,
    -- Gold clips that the person met in sets which got another answer, how many of them got the answer of their set, and
    -- the ends of the 95 % interval of that share.
    set_gold bigint NOT NULL DEFAULT 0,
    set_missed bigint NOT NULL DEFAULT 0,
    set_miss_low double precision,
    set_miss_high double precision
);
CREATE INDEX annotator_quality_category ON annotator_quality (category);

-- How far people agree on each category, beyond chance.
CREATE TABLE category_agreement (
    category text PRIMARY KEY REFERENCES categories,
    labels text NOT NULL,
    clips bigint NOT NULL,
    krippendorff double precision,
    cohen double precision,
    pairs bigint NOT NULL,
    -- Ends of the 95 % interval of alpha; NULL: unknown.
    krippendorff_low double precision,
    krippendorff_high double precision
);

-- What the newest certificates say of the labels of each kind, for the pages.
CREATE TABLE label_kinds (
    -- NULL: all categories together.
    category text REFERENCES categories,
    kind text NOT NULL CHECK (kind IN ('people', 'sets', 'carried', 'model', 'imported')),
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

-- A person's decision on a category that was not accepted: a newer one on the same labels replaces it.
CREATE TABLE decisions (
    category text NOT NULL REFERENCES categories,
    labels text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('approve', 'reject')),
    reason text NOT NULL CHECK (length(reason) > 0),
    person text NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    -- The reasons that the person saw, as the verdict named them.
    covers text[] NOT NULL,
    shortfalls double precision[] NOT NULL,
    PRIMARY KEY (category, labels),
    CHECK (cardinality(shortfalls) = cardinality(covers))
);

-- Whether every reason of a refusal is one that a person saw, and no measure lies further outside its range than then
-- by more than 0.05. All measures are shares, so that is five clips in a hundred.
CREATE FUNCTION is_covered(
    failed text[], shortfalls double precision[], seen text[], seen_shortfalls double precision[]
) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM unnest(failed, shortfalls) AS f (name, shortfall)
        WHERE NOT EXISTS (
            SELECT FROM unnest(seen, seen_shortfalls) AS s (name, shortfall)
            WHERE
                s.name = f.name
                AND (f.shortfall <= s.shortfall + 0.05 OR (f.shortfall IS NULL AND s.shortfall IS NULL))
        )
    )
$$;

-- Each verdict, the newest decision of a person on this version or an older one, and what follows from both: accepted,
-- pending, approved, rejected or undecided. An approval stands while the refusal is covered; a rejection stands while
-- also nothing has got better. This view alone decides: the pages, the release and the questions to people read it.
CREATE VIEW judgements AS
SELECT
    v.labels, v.category, v.verdict, v.reasons, v.judged_at,
    d.decision, d.reason AS decision_reason, d.person, d.decided_at, d.labels AS decided_labels, d.stands,
    CASE
        WHEN v.verdict = 'accepted' THEN 'accepted'
        WHEN d.stands AND d.decision = 'approve' THEN 'approved'
        WHEN d.stands THEN 'rejected'
        WHEN v.verdict = 'pending' THEN 'pending'
        ELSE 'undecided'
    END AS standing
FROM verdicts AS v
LEFT JOIN LATERAL (
    SELECT
        n.decision, n.reason, n.person, n.decided_at, n.labels,
        is_covered(v.failed, v.shortfalls, n.covers, n.shortfalls)
        AND (n.decision = 'approve' OR is_covered(n.covers, n.shortfalls, v.failed, v.shortfalls)) AS stands
    FROM decisions AS n
    WHERE v.verdict <> 'accepted' AND n.category = v.category AND n.labels <= v.labels
    ORDER BY n.decided_at DESC, n.labels DESC
    LIMIT 1
) AS d ON TRUE;

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

CREATE TABLE releases (
    release text PRIMARY KEY,
    ordinal integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    labels text NOT NULL,
    label_count bigint NOT NULL,
    categories text[] NOT NULL,
    released_at timestamptz NOT NULL DEFAULT now(),
    -- NULL in what follows: released before there were numbers.
    version text,
    content text,
    -- NULL: there is none before it.
    previous text,
    added bigint,
    changed bigint,
    withdrawn bigint,
    corrected bigint,
    -- NULL: released before there were pages of releases.
    folder text,
    preview jsonb NOT NULL DEFAULT '[]'
);

CREATE TABLE promotions (
    release text PRIMARY KEY REFERENCES releases,
    committee text REFERENCES committees,
    reason text NOT NULL,
    rescore date[] NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);

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
