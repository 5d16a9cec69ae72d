"""Pairs of look-alikes, and the word of a person that two of them differ.

A video that shows what an admitted one shows is dropped, and the pair is recorded. Where a person says that the two
differ, they count as look-alikes no more: neither as the same nor as related. The next `deduplicate` of the window
admits the video. One that was admitted for another category before stays in its group.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from slac_tasks.storage.people import keep_known

if TYPE_CHECKING:
    # The pages read this module, and import nothing heavy.
    from slac_tasks.admission.likeness.verdict import Likeness
    from slac_tasks.storage.ledger import Ledger


@dataclass(frozen=True, kw_only=True, slots=True)
class LookalikePair:
    """A dropped video and the admitted one that it was dropped for; the columns of duplicates.sql."""

    category: str
    window: str
    """Of the dropped one."""
    video_id: str
    """The dropped one."""
    other_id: str
    """The admitted one."""
    evidence: str
    """Why they are the same, in words."""
    source: str
    source_id: str
    proxy_256: str
    other_source: str | None
    other_source_id: str | None
    other_window: str | None
    other_proxy_256: str | None
    """Unknown where it was admitted by an older version."""
    since: datetime
    person: str | None
    """Who said that they differ, and why; None: nobody."""
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldApart:
    """Two videos of which a person said that they differ, in a fixed order; the columns of told_apart.sql."""

    video_id: str
    other_id: str
    person: str
    reason: str
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Undone:
    """A partition that still drops a video which a person told apart; the columns of undone_duplicates.sql."""

    category: str
    window: str


def lookalike_pairs(
    ledger: "Ledger", *, category: str | None = None, window: str | None = None, most: int | None = None
) -> list[LookalikePair]:
    """Return pairs without a withdrawn video, the newest first; of one category or window only, where it is given."""
    return ledger.all(LookalikePair, "duplicates", category=category, window=window, most=most)


def told_apart(ledger: "Ledger") -> list[ToldApart]:
    """Return every pair of which a person said that they differ, the newest first."""
    return ledger.all(ToldApart, "told_apart")


def undone(ledger: "Ledger", window: str | None = None) -> list[Undone]:
    """Return the partitions of videos, of one window or of all, that deduplicating again changes."""
    return ledger.all(Undone, "undone_duplicates", window=window)


def tell_apart(ledger: "Ledger", video_id: str, other_id: str, *, person: str, reason: str) -> bool:
    """Record that two look-alikes differ; return whether they are such a pair, in either order."""
    with ledger.transaction():
        keep_known(ledger, person)
        return ledger.run("tell_apart", video_id=video_id, other_id=other_id, person=person, reason=reason) > 0


def tell_same(ledger: "Ledger", video_id: str, other_id: str) -> bool:
    """Take back that two videos differ; return False where nobody said so, or both were admitted apart since."""
    return ledger.run("tell_same", video_id=video_id, other_id=other_id) > 0


def without_told_apart(
    ledger: "Ledger", alike: Mapping[str, Mapping[str, "Likeness"]]
) -> dict[str, dict[str, "Likeness"]]:
    """Return which videos show the same, or may do, without the pairs that a person told apart."""
    apart = {frozenset((pair.video_id, pair.other_id)) for pair in told_apart(ledger)}
    left = {
        video_id: {other: likeness for other, likeness in others.items() if frozenset((video_id, other)) not in apart}
        for video_id, others in alike.items()
    }
    return {video_id: others for video_id, others in left.items() if others}
