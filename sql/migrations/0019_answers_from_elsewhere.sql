-- No sum of people's time meets an answer of more than a day: such a one was given elsewhere, before there was a bound.
CREATE FUNCTION counted_seconds(seconds double precision) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$
    SELECT least(seconds, 86400.0)
$$;

CREATE OR REPLACE FUNCTION count_votes() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- What was counted without that bound is counted again.
LOCK TABLE category_counts, category_count_changes IN EXCLUSIVE MODE;
UPDATE category_counts SET seconds = 0;
UPDATE category_count_changes SET seconds = 0;
INSERT INTO category_count_changes (category, seconds)
SELECT category, sum(counted_seconds(seconds)) FROM votes GROUP BY category;

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
