"""The interface of a source, and what it offers."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from slac_tasks.given.words import fault_of, printable
from slac_tasks.model import Window, content_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A video that a source offers for a category; the columns of `datasets.CANDIDATES`."""

    source: str
    source_id: str
    location: str
    """As `slac_tasks.collect.locations` reads it."""
    title: str | None = None
    licence: str | None = None
    published_at: datetime | None = None
    sha256: str | None = None
    """Of the bytes, in hex, where the source knows it: other bytes are refused."""

    def __post_init__(self) -> None:
        """Refuse text that cannot be stored or names no video, by a ValueError: that entry alone is set aside."""
        for name in ("source", "source_id", "location", "title", "licence"):
            value = getattr(self, name)
            if value is not None and (fault := fault_of(value)):
                raise ValueError(f"{name} '{printable(value)}' {fault}")
        if not self.source_id.strip():
            raise ValueError(f"source_id is {self.source_id!r}, want the source's own name of the video")

    @property
    def candidate_id(self) -> str:
        """16 hex digits that name this video of this source."""
        return content_hash(self.source, self.source_id)


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """An entry that is no candidate; it does not hold up the others."""

    item: str
    reason: str
    detail: str = ""
    retryable: bool = False

    def __str__(self) -> str:
        return f"{self.item} set aside: {self.reason}{': ' + self.detail if self.detail else ''}"


Offer = Candidate | Unreadable


class Source(Protocol):
    """A place that offers videos for categories."""

    def categories(self) -> list[str]:
        """Return the display names of the categories that it offers, in order; none where it can search for any.

        Names that get no key are among them: `slac_tasks.collect.names` sets them aside.
        """

    def unplaced(self) -> "Sequence[Unreadable]":
        """Return the entries that belong to no category."""

    def candidates(self, category: str, window: Window) -> "Iterator[Offer]":
        """Yield what it offers for a category's key, in a fixed order.

        A source that can ask for the window's dates does; what lies outside is left out by `discover` anyway.
        """
