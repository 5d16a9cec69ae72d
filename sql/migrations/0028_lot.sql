-- Clips that are drawn by lot like the control and asked like chosen ones: what a referee gives random.
ALTER TABLE queue DROP CONSTRAINT queue_strategy_check;
ALTER TABLE queue ADD CONSTRAINT queue_strategy_check CHECK (
    strategy IN ('disagreement', 'consensus', 'random', 'entropy', 'coverage', 'unsure_coverage', 'lot', 'companion')
);
