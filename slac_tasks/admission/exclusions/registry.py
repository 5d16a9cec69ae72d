"""Videos of other benchmarks that never join the dataset, by name and by what they show.

The store holds what was registered, an object for each list and for each fingerprinted video, so that a restored
ledger gets it back; the ledger answers which candidates and videos are meant.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from slac_tasks.admission.exclusions.lists import Member, MemberList, canonical
from slac_tasks.admission.likeness.lookalikes import stored
from slac_tasks.errors import NotMade
from slac_tasks.model import content_hash
from slac_tasks.storage import notes
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.store import Store

EXCLUDED = "excluded"
"""The reason of a drop."""

_LISTS, _MEDIA = "exclusions/v1/lists/", "exclusions/v1/media/"
"""A change of the fingerprints is a new version: those of an older one cannot be compared."""


@dataclass(frozen=True, kw_only=True)
class ExcludedVideo:
    """A video of another benchmark, with its fingerprint."""

    video_id: str
    benchmark: str
    name: str
    """Of its file, or the id that it goes by."""
    frame_hashes: list[int]
    """Its fingerprint."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Why a candidate is excluded by name."""

    name: str
    benchmark: str

    def __str__(self) -> str:
        return f"{self.name} of {self.benchmark}"


@dataclass(frozen=True, kw_only=True)
class ShownVideo:
    """A video that is excluded by what it shows."""

    video_id: str
    benchmark: str


@dataclass(frozen=True, kw_only=True)
class Excluded:
    """How much of a benchmark is excluded."""

    benchmark: str
    names: int
    media: int
    since: datetime


def exclusions(ledger: Ledger) -> list[Excluded]:
    """Return how much of each benchmark is excluded."""
    return ledger.all(Excluded, "exclusions")


def tombstone(benchmark: str) -> str:
    """Return the reason of the tombstone of an admitted video that shows one of a benchmark."""
    return f"{EXCLUDED}: {benchmark}"


def write_list(store: Store, found: MemberList) -> None:
    """Write a list into the store; one that is there already stays as it is."""
    name = content_hash(found.benchmark, *(f"{member.name} {member.subset}" for member in found.members))
    store.create(f"{_LISTS}{name}.json", json.dumps(asdict(found)).encode())


def write_video(store: Store, video: ExcludedVideo) -> None:
    """Write a video into the store; one that is there already stays as it is."""
    store.create(f"{_MEDIA}{video.video_id}.json", json.dumps(asdict(video)).encode())


def read_video(store: Store, video_id: str) -> ExcludedVideo | None:
    """Return a video that an earlier run wrote, or None."""
    try:
        return _video(store, f"{_MEDIA}{video_id}.json")
    except NotMade:
        return None


def _video(store: Store, name: str) -> ExcludedVideo:
    return notes.decoded(name, store.get(name), ExcludedVideo, "an excluded video")


def _list(store: Store, name: str) -> MemberList:
    def made(*, members: Sequence[Mapping[str, str]], **rest: Any) -> MemberList:
        return MemberList(members=tuple(Member(**member) for member in members), **rest)

    return notes.decoded(name, store.get(name), made, "a list of excluded names")


def restore(store: Store, ledger: Ledger) -> int:
    """Upsert everything that the store holds into the ledger; return how many names and videos that is.

    Raises:
        BrokenContract: an object is neither.

    """
    count = 0
    for name in store.names(_LISTS):
        found = _list(store, name)
        upsert_names(ledger, found)
        count += len(found.members)
    videos = [_video(store, name) for name in store.names(_MEDIA)]
    upsert_videos(ledger, videos)
    return count + len(videos)


def upsert_names(ledger: Ledger, found: MemberList) -> None:
    """Add names to the ledger; those that it has already stay as they are."""
    ledger.run(
        "add_excluded_names",
        benchmark=found.benchmark,
        names=[member.name for member in found.members],
        subsets=[member.subset for member in found.members],
    )


def upsert_videos(ledger: Ledger, videos: Iterable[ExcludedVideo]) -> None:
    """Add videos to the ledger; those that it has already stay as they are."""
    ledger.run_many("add_excluded_media", [{**asdict(video), **stored(video.frame_hashes)} for video in videos])


class Named(Protocol):
    """A row whose video may be listed by a benchmark."""

    @property
    def candidate_id(self) -> str:
        """What names the row."""

    @property
    def source_id(self) -> str:
        """The source's own name of the video."""

    @property
    def location(self) -> str | None:
        """Path or address of the bytes, where it is known."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names of a candidate, and nothing else of it."""

    candidate_id: str
    source_id: str
    location: str | None


def names_of(row: Named) -> set[str]:
    """Return the names by which a candidate's video may be listed elsewhere: its source's, and those in addresses."""
    found = {row.source_id, canonical(row.source_id), canonical(row.location or "")} - {""}
    # A Mac writes an accent of a file's name as a letter of its own; a list may write one letter.
    return found | {unicodedata.normalize(form, name) for name in found for form in ("NFC", "NFD")}


def excluded_by_name(ledger: Ledger, rows: Iterable[Named]) -> dict[str, Listed]:
    """Return those rows of candidates that a benchmark lists, by candidate_id."""
    names = {row.candidate_id: names_of(row) for row in rows}
    wanted = sorted(set[str]().union(*names.values()))
    listed = {found.name: found for found in ledger.all(Listed, "excluded_names", names=wanted)}
    return {
        candidate_id: listed[hits[0]] for candidate_id, those in names.items() if (hits := sorted(those & set(listed)))
    }


def excluded_videos(ledger: Ledger, videos: Iterable[str]) -> dict[str, str]:
    """Return the benchmark of those videos that are excluded by what they show, ours that were withdrawn for it too."""
    found = ledger.all(ShownVideo, "excluded_media", videos=sorted(set(videos)))
    return {video.video_id: video.benchmark for video in found}
