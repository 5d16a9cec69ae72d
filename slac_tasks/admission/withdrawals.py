"""Videos that may no longer be used: taken down at somebody's wish, excluded for a benchmark, or leaked between splits.

Each withdrawal is one small object in the store, so that stages without the ledger's password see it. It names a video
by its video_id, the SHA-256 of its bytes, its source's name of it, or its address, and holds for what is found later
too. The ledger has a tombstone for each withdrawn video that was admitted. Every stage that reads media asks `covers`.
"""

import json
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from slac_tasks.collect.locations import address_of
from slac_tasks.model import content_hash
from slac_tasks.progress import counted, print_line
from slac_tasks.storage import notes
from slac_tasks.storage.datasets import FETCHED, RELEASES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Drop, Manifest
from slac_tasks.storage.store import Store
from slac_tasks.storage.tables import Datasets

TAKEN_DOWN = "taken down"
"""The reason of a drop of a withdrawn video."""

_FOLDER = "takedowns"
_NAMES = ("video_id", "media_sha256", "source_id", "location")
"""The columns that may name a video."""


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """One withdrawal, as the store holds it."""

    named: str
    reason: str
    since: str
    """ISO 8601."""
    deletes: bool = False
    """Somebody asked for it: the bytes go too. Those of excluded and leaked videos stay."""


class OfVideo(Protocol):
    """A row that is about a video."""

    @property
    def video_id(self) -> str:
        """The video."""


R = TypeVar("R", bound=OfVideo)


@dataclass(frozen=True)
class Withdrawals:
    """The withdrawals of a store, as hashes of what they name: one listing, however many there are."""

    hashes: frozenset[str]

    @classmethod
    def read(cls, store: Store) -> "Withdrawals":
        """Read those that stand now."""
        return cls(frozenset(name.rpartition("/")[2].removesuffix(".json") for name in store.names(f"{_FOLDER}/")))

    def covers(self, row: object) -> bool:
        """Return whether one of them names this row's video, by any of the names that the row has."""
        return self.covers_any(*(getattr(row, name, None) for name in _NAMES))

    def covers_any(self, *names: str | None) -> bool:
        """Return whether one of them names a video that goes by these names."""
        return bool(self.hashes) and any(not self.hashes.isdisjoint(_hashes(name)) for name in names if name)

    def of(self, store: Store, row: object) -> list[Withdrawal]:
        """Return the withdrawals that name this row's video."""
        hashes = {each for column in _NAMES if (name := getattr(row, column, None)) for each in _hashes(name)}
        return [_read(store, f"{_FOLDER}/{one}.json") for one in sorted(hashes & self.hashes)]

    def readable(self, rows: Iterable[R], drops: list[Drop]) -> list[R]:
        """Return the rows whose video may be opened; add each withdrawn video to `drops`, once.

        Every stage that opens media for clips passes its rows through here: nothing withdrawn teaches or is scored.
        """
        kept: list[R] = []
        withdrawn: set[str] = set()
        for row in rows:
            if not self.covers(row):
                kept.append(row)
            elif row.video_id not in withdrawn:
                withdrawn.add(row.video_id)
                drops.append(Drop(item=row.video_id, reason=TAKEN_DOWN))
        return kept


def write_withdrawal(store: Store, named: str, reason: str, *, deletes: bool = False) -> None:
    """Write a withdrawal. One that stands already keeps its reason; the wish that the bytes go is added to it."""
    name = f"{_FOLDER}/{_hash(named)}.json"
    note = Withdrawal(named=named, reason=reason, since=_now(), deletes=deletes)
    if not store.create(name, _encode(note)) and deletes:
        store.put(name, _encode(replace(_read(store, name), deletes=True)))


def all_withdrawals(store: Store) -> list[Withdrawal]:
    """Return every withdrawal."""
    return [_read(store, name) for name in store.names(f"{_FOLDER}/")]


def _encode(note: Withdrawal) -> bytes:
    return json.dumps(asdict(note)).encode()


def _read(store: Store, name: str) -> Withdrawal:
    return notes.decoded(name, store.get(name), Withdrawal, "a withdrawal")


def _hash(named: str) -> str:
    # A Mac writes an accent of a file's name as a letter of its own; whoever asks for a takedown types one letter.
    return content_hash(unicodedata.normalize("NFC", address_of(named)))


def _hashes(name: str) -> set[str]:
    """Return the hashes by which a withdrawal may name a video: an older version composed no accents."""
    return {_hash(name)} if name.isascii() else {_hash(name), content_hash(address_of(name))}


def delete_media(store: Store, video_id: str) -> int:
    """Delete every object of a video; return how many there were."""
    names = list(store.names(f"media/{video_id}/"))
    for name in names:
        store.delete(name)
    return len(names)


@dataclass(frozen=True, kw_only=True)
class Tombstone:
    """A withdrawn video in the ledger."""

    video_id: str
    reason: str
    since: datetime


def tombstones(ledger: Ledger) -> dict[str, str]:
    """Return the reason of each withdrawn video, by video_id."""
    return {one.video_id: one.reason for one in ledger.all(Tombstone, "tombstones")}


@dataclass(frozen=True, kw_only=True)
class _Video:
    video_id: str


def videos_named(datasets: Datasets, ledger: Ledger, names: Collection[str]) -> set[str]:
    """Return the video_ids that go by these names: of admitted videos, and of those that wait for admission."""
    found = {one.video_id for named in names for one in ledger.all(_Video, "videos_named", named=named)}
    wanted = Withdrawals(frozenset(map(_hash, names)))
    manifests = [datasets.need(FETCHED, **keys) for keys in datasets.partitions(FETCHED)]
    for manifest in manifests:
        for table in datasets.tables(manifest, _NAMES):
            for video_id, *others in zip(*(table[name].to_pylist() for name in _NAMES), strict=True):
                if wanted.covers_any(video_id, *others):
                    found.add(video_id)
    print_unaddressed("takedown", manifests)
    return found


def print_unaddressed(who: str, fetched: Sequence[Manifest]) -> None:
    """Print how many partitions of FETCHED hold no addresses, so that no video of them is found by its address."""
    older = [manifest for manifest in fetched if "location" not in manifest.columns]
    if older:
        keys = " ".join(f"--{name} {value}" for name, value in older[0].keys.items())
        print_line(
            f"{who}: {len(older)} of {counted(len(fetched), 'partition')} of fetched are of an older version without "
            f"addresses: their videos were not looked up by address; mend each with `slac fetch --remake`, e.g. {keys}"
        )


def withdraw(datasets: Datasets, ledger: Ledger, videos: Collection[str], reason: str) -> list[str]:
    """Withdraw admitted videos and leave their bytes; return the releases that held them.

    The caller opens the transaction. The store is written first: should the ledger then fail, the next run finds the
    same videos and writes the same again.
    """
    for video_id in sorted(videos):
        write_withdrawal(datasets.store, video_id, reason)
    releases = list_beside_releases(datasets, videos, reason)
    ledger.run_many("add_tombstone", [{"video_id": video_id, "reason": reason} for video_id in sorted(videos)])
    return releases


def list_beside_releases(datasets: Datasets, videos: Collection[str], reason: str) -> list[str]:
    """Write a note for each video beside every release that holds it; return these releases."""
    touched = []
    for keys in datasets.partitions(RELEASES):
        manifest = datasets.need(RELEASES, **keys)
        rows = (video for table in datasets.tables(manifest, ["video_id"]) for video in table["video_id"].to_pylist())
        held = set(rows).intersection(videos)
        for video_id in sorted(held):
            note = {"video_id": video_id, "reason": reason, "since": _now()}
            datasets.store.create(f"{manifest.address}/withdrawn/{video_id}.json", json.dumps(note).encode())
        touched += [keys["release"]] if held else []
    return touched


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
