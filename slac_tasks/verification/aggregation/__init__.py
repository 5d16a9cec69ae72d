"""Methods that turn votes into labels, one per file behind `labels.Aggregator`; pure over arrays of votes."""
