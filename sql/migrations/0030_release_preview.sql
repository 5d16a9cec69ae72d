-- Where a release lies in the store, and clips of it that its page plays.
ALTER TABLE releases
    -- NULL: released before there were pages of releases.
    ADD COLUMN folder text,
    ADD COLUMN preview jsonb NOT NULL DEFAULT '[]';
