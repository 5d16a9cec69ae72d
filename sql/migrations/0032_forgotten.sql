-- People who were forgotten: that it was done, and when.
CREATE TABLE forgotten (
    pseudonym text PRIMARY KEY,
    -- The name, until nothing holds it any more; NULL: it is done.
    name text UNIQUE,
    since timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz
);
