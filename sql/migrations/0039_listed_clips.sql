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
    facet integer NOT NULL,
    -- The committee's joint score in the round in which the clip was chosen; NULL: unknown.
    score real,
    -- Share of yes or no that is fewer, 0 to 0.5.
    dispute real NOT NULL,
    -- How near the score is to 0.5: 1 there, 0 at 0 and 1; -1: unknown.
    doubt real NOT NULL,
    queued_at timestamptz NOT NULL
);

-- What was queued before; verdicts come with the next version of the labels that is a whole table, or by `slac doctor
-- --reconcile`, which also brings the scores.
INSERT INTO clip_facets (category, strategy, split, verdict, kind, clips)
SELECT category, strategy, split, 'unanswered', 'none', count(*) FROM queue GROUP BY category, strategy, split;
INSERT INTO listed_clips (clip_id, category, facet, dispute, doubt, queued_at)
SELECT q.clip_id, q.category, f.facet, 0, -1, q.queued_at
FROM queue AS q
JOIN clip_facets AS f USING (category, strategy, split);

-- Keys come after the rows: all at once they take a quarter of the time, for which answers wait.
ALTER TABLE listed_clips ADD PRIMARY KEY (clip_id, category);
ALTER TABLE listed_clips ADD FOREIGN KEY (facet) REFERENCES clip_facets;
ALTER TABLE listed_clips ADD FOREIGN KEY (clip_id, category) REFERENCES queue;
-- A page is the head of the index of each facet that it wants, merged.
CREATE INDEX listed_clips_newest ON listed_clips (facet, queued_at, clip_id);
CREATE INDEX listed_clips_disputed ON listed_clips (facet, dispute, clip_id);
CREATE INDEX listed_clips_unsure ON listed_clips (facet, doubt, clip_id);
