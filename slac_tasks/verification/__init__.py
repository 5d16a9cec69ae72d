"""From votes to labels: ballots, methods of aggregation, annotators, agreement, imports from other tools."""
