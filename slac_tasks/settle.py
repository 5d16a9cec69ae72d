"""What labels mean for the queue: who is finished, and who wants one more answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from slac_tasks.database import Ledger

_AT_ONCE = 500
"""Clips in one statement: their rows are locked until it ends, and people are answering meanwhile."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A clip's new state in the queue."""

    clip_id: str
    category: str
    votes_wanted: int
    state: str


def settle(ledger: Ledger, changes: Sequence[Settled]) -> None:
    """Write the changes to the queue, a few hundred at a time; writing them again changes nothing."""
    for start in range(0, len(changes), _AT_ONCE):
        some = changes[start : start + _AT_ONCE]
        ledger.run(
            "settle_clips",
            clip_ids=[change.clip_id for change in some],
            categories=[change.category for change in some],
            votes_wanted=[change.votes_wanted for change in some],
            states=[change.state for change in some],
        )
