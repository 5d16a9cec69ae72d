"""What a version of the labels changes in the ledger: the queue, and what the pages say of people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slac_tasks.storage.ledger import Ledger

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


def remember_people(
    ledger: Ledger, labels: str, people: Iterable[Mapping[str, Any]], agreement: Iterable[Mapping[str, Any]]
) -> None:
    """Replace the ledger's copy of the datasets `people` and `agreement` by this version's rows.

    The caller opens the transaction, so that readers see the old rows or the new ones.
    """
    ledger.run("clear_annotator_quality")
    ledger.run_many("add_annotator_quality", [{**row, "labels": labels} for row in people])
    ledger.run_many("add_category_agreement", [{**row, "labels": labels} for row in agreement])
