-- A clip may be asked since all else contradicts the label that an imported dataset gives it.
ALTER TABLE queue DROP CONSTRAINT queue_strategy_check;
ALTER TABLE queue ADD CONSTRAINT queue_strategy_check CHECK (
    strategy IN (
        'disagreement', 'consensus', 'random', 'entropy', 'coverage', 'unsure_coverage', 'lot', 'contradiction',
        'companion'
    )
);
