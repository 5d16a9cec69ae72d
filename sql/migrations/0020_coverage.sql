-- A clip may be chosen because it stands for others.
ALTER TABLE queue DROP CONSTRAINT queue_strategy_check;
ALTER TABLE queue ADD CONSTRAINT queue_strategy_check
    CHECK (strategy IN ('disagreement', 'consensus', 'random', 'entropy', 'coverage', 'unsure_coverage'));
