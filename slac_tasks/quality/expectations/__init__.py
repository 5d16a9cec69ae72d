"""What is expected of every hand-over: one file for each dataset, and one list."""

from collections.abc import Mapping

from slac_tasks.quality.expectations import clips, labels, votes
from slac_tasks.quality.expectations.entries import Expectation
from slac_tasks.storage.datasets import CLIPS, LABELS, VOTES

EXPECTATIONS: Mapping[str, tuple[Expectation, ...]] = {
    CLIPS.name: clips.EXPECTATIONS,
    VOTES.name: votes.EXPECTATIONS,
    LABELS.name: labels.EXPECTATIONS,
}
"""The expectations of each dataset, by its name, in the order of the procedure."""
