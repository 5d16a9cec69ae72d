-- A clip may be asked since it lies in a segment that a localizer found and about which the committee differs.
ALTER TABLE queue DROP CONSTRAINT queue_strategy_check;
ALTER TABLE queue ADD CONSTRAINT queue_strategy_check CHECK (
    strategy IN (
        'disagreement', 'consensus', 'random', 'entropy', 'coverage', 'unsure_coverage', 'lot', 'contradiction',
        'segment', 'companion'
    )
);
