-- The queue without the clips of withdrawn videos: what every reader of the queue reads. A new column of the queue needs
-- the view made again.
CREATE VIEW live_queue AS
SELECT * FROM queue AS q
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id);

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

INSERT INTO category_counts (category, videos, windows, asked, open, finished, answered, votes, seconds)
SELECT
    c.category,
    (
        SELECT count(*) FROM admissions AS a
        WHERE a.category = c.category AND NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = a.video_id)
    ),
    (SELECT count(DISTINCT a."window") FROM admissions AS a WHERE a.category = c.category),
    (SELECT count(*) FROM queue AS q WHERE q.category = c.category AND q.state <> 'withdrawn'),
    (SELECT count(*) FROM queue AS q WHERE q.category = c.category AND q.state = 'open'),
    (SELECT count(*) FROM queue AS q WHERE q.category = c.category AND q.state = 'finished'),
    (SELECT count(DISTINCT v.clip_id) FROM votes AS v WHERE v.category = c.category),
    (SELECT count(*) FROM votes AS v WHERE v.category = c.category AND v.supersedes IS NULL),
    (SELECT coalesce(sum(v.seconds), 0) FROM votes AS v WHERE v.category = c.category)
FROM categories AS c;

CREATE VIEW current_counts AS
SELECT
    category, sum(videos)::bigint AS videos, sum(windows)::bigint AS windows, sum(asked)::bigint AS asked,
    sum(open)::bigint AS open, sum(finished)::bigint AS finished, sum(answered)::bigint AS answered,
    sum(votes)::bigint AS votes, sum(seconds) AS seconds
FROM (SELECT * FROM category_counts UNION ALL SELECT * FROM category_count_changes) AS counted
GROUP BY category;

-- Whether a window is the first of its category to admit something.
CREATE INDEX admissions_window ON admissions (category, "window");

CREATE FUNCTION count_admissions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
        sum(n.seconds)
    FROM inserted AS n
    GROUP BY n.category;
    RETURN NULL;
END
$$;
CREATE TRIGGER votes_counted AFTER INSERT ON votes
REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION count_votes();
