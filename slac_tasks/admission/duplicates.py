"""Drops of look-alikes, and the pairs that the ledger records of them, both from the drops of a manifest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from slac_tasks.admission.likeness.verdict import Likeness
from slac_tasks.storage.datasets.collecting import FetchedRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Drop

NEAR_DUPLICATE = "near-duplicate"
"""The reason of a drop of a video that shows what an admitted one shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Duplicate:
    """A dropped video and the admitted one that shows the same; a row of the ledger's table of them."""

    candidate_id: str
    video_id: str
    other_id: str
    evidence: str
    source: str
    source_id: str
    proxy_256: str


def near_duplicate(row: FetchedRow, other_id: str, found: Likeness) -> Drop:
    """Return the drop of a video that shows what `other_id` shows."""
    return Drop(item=row.candidate_id, reason=NEAR_DUPLICATE, detail=f"{other_id}, {found}")


def duplicates_of(drops: Iterable[Drop], fetched: Iterable[FetchedRow]) -> list[Duplicate]:
    """Return the pairs that drops name. A candidate that is not among the fetched ones any more has no pair."""
    rows = {row.candidate_id: row for row in fetched}
    found = []
    for drop in drops:
        if drop.reason == NEAR_DUPLICATE and (row := rows.get(drop.item)):
            # Older versions wrote no evidence.
            other_id, _, evidence = drop.detail.partition(", ")
            found.append(
                Duplicate(
                    candidate_id=row.candidate_id, video_id=row.video_id, other_id=other_id, evidence=evidence,
                    source=row.source, source_id=row.source_id, proxy_256=row.proxy_256,
                )
            )  # fmt: skip
    return found


def add_duplicates(ledger: Ledger, keys: Mapping[str, str], found: Iterable[Duplicate]) -> None:
    """Record pairs of a category in a window."""
    ledger.run_many("add_duplicate", [{**asdict(one), **keys} for one in found])


def forget_duplicates(ledger: Ledger, keys: Mapping[str, str], *, but: Sequence[str]) -> None:
    """Forget the pairs of a category in a window, but those of these candidates.

    Call it when the manifest is written that drops no others. A pair that a person told apart is what a plan finds the
    partition by: it must not be gone before.
    """
    ledger.run("forget_duplicates", **keys, candidates=list(but))
