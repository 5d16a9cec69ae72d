-- What a finished release is: its number and hash, and how it differs from the one before.
ALTER TABLE releases
    -- NULL in what follows: released before there were numbers.
    ADD COLUMN version text,
    ADD COLUMN content text,
    -- NULL: there is none before it.
    ADD COLUMN previous text,
    ADD COLUMN added bigint,
    ADD COLUMN changed bigint,
    ADD COLUMN withdrawn bigint,
    ADD COLUMN corrected bigint;
