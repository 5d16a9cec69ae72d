-- How many answers a clip wants before anything is decided, and whether a second person is asked although its label
-- stands. A companion is a neighbour of a chosen clip: it says how far an answer may be carried.
ALTER TABLE queue ADD COLUMN votes_first integer NOT NULL DEFAULT 2 CHECK (votes_first > 0);
UPDATE queue SET votes_first = 1 WHERE votes_wanted = 1;
ALTER TABLE queue ADD COLUMN again boolean NOT NULL DEFAULT false;
ALTER TABLE queue DROP CONSTRAINT queue_strategy_check;
ALTER TABLE queue ADD CONSTRAINT queue_strategy_check CHECK (
    strategy IN ('disagreement', 'consensus', 'random', 'entropy', 'coverage', 'unsure_coverage', 'companion')
);
DROP VIEW live_queue;
CREATE VIEW live_queue AS
SELECT * FROM queue AS q
WHERE NOT EXISTS (SELECT FROM tombstones AS t WHERE t.video_id = q.video_id);
