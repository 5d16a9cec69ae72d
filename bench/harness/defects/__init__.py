"""Defects, each planted in a copy of a good hand-over, with the expectation that is meant to catch it.

A defect is an entry: its name, the dataset, the expectation, and a function of the good hand-over. It changes a small
part of the rows, so an expectation that catches it does not only catch ruins.
"""

from bench.harness.defects import clips, collecting, labels, releases, scoring, segments, votes
from bench.harness.defects.planting import Defect

DEFECTS: tuple[Defect, ...] = (
    *collecting.DEFECTS,
    *clips.DEFECTS,
    *scoring.DEFECTS,
    *votes.DEFECTS,
    *labels.DEFECTS,
    *releases.DEFECTS,
    *segments.DEFECTS,
)
"""Every defect that is planted."""
