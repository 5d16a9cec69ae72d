-- How long people take for a category is asked once for every round of it.
CREATE INDEX votes_pace ON votes (category, cast_at);
-- A clip may be chosen because one model alone is unsure of it.
ALTER TABLE queue DROP CONSTRAINT queue_strategy_check;
ALTER TABLE queue ADD CONSTRAINT queue_strategy_check
    CHECK (strategy IN ('disagreement', 'consensus', 'random', 'entropy'));
