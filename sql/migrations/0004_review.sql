-- Verification by many people at once: places that are handed out without a scan, accounts, groups, known answers.

-- Who reviews: an account has a password (salted scrypt), belongs to groups, and a lead also sees funnel and quality.
-- A category without a group is reviewed by everybody.
ALTER TABLE annotators
    ADD COLUMN password text,
    ADD COLUMN groups text[] NOT NULL DEFAULT '{}',
    ADD COLUMN role text NOT NULL DEFAULT 'reviewer' CHECK (role IN ('reviewer', 'lead'));
ALTER TABLE categories ADD COLUMN reviewers text;

-- taken: answers given and in people's hands. place: where in its category the clip lies; chance spreads people over it.
ALTER TABLE queue
    ADD COLUMN taken integer NOT NULL DEFAULT 0 CHECK (taken >= 0),
    ADD COLUMN place double precision NOT NULL DEFAULT random();
UPDATE queue AS q
SET taken = (
    SELECT count(*) FROM votes AS v WHERE v.clip_id = q.clip_id AND v.category = q.category AND v.supersedes IS NULL
) + (
    SELECT count(*) FROM leases AS l
    WHERE
        l.clip_id = q.clip_id AND l.category = q.category
        AND NOT EXISTS (
            SELECT FROM votes AS v
            WHERE v.clip_id = l.clip_id AND v.category = l.category AND v.annotator = l.annotator
        )
);
DELETE FROM leases AS l
WHERE EXISTS (
    SELECT FROM votes AS v WHERE v.clip_id = l.clip_id AND v.category = l.category AND v.annotator = l.annotator
);
DROP INDEX queue_open;
CREATE INDEX queue_available ON queue (category, taken DESC, place) WHERE state = 'open' AND taken < votes_wanted;
CREATE INDEX queue_finished ON queue (category, place) WHERE state = 'finished';
CREATE INDEX leases_expiry ON leases (expires_at);
CREATE INDEX leases_person ON leases (annotator, category);
CREATE INDEX votes_person ON votes (annotator, category, cast_at);

-- An answer takes the place of the lease that asked for it; one without a lease takes a place of its own.
CREATE FUNCTION count_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
