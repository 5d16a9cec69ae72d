"""What somebody asked to have removed: one small object each in the store, so that stages without the ledger see it.

A takedown names a video by its video_id, the SHA-256 of its bytes, its source's name of it, or its address. It holds
for what is found later too.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from slac_tasks.model import content_hash
from slac_tasks.storage.datasets import FETCHED, RELEASES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.objects import Store
from slac_tasks.storage.tables import Datasets

_FOLDER = "takedowns"
_NAMES = ("video_id", "media_sha256", "source_id", "location")


@dataclass(frozen=True)
class Takedowns:
    """The takedowns of a store, as hashes of what they name: one listing, however many there are."""

    hashes: frozenset[str]

    @classmethod
    def read(cls, store: Store) -> "Takedowns":
        """Read those that stand now."""
        return cls(frozenset(name.rpartition("/")[2].removesuffix(".json") for name in store.names(f"{_FOLDER}/")))

    def covers(self, row: object) -> bool:
        """Return whether one of them names this row's video, by any of the names that the row has."""
        return self.covers_any(*(getattr(row, name, None) for name in _NAMES))

    def covers_any(self, *names: str | None) -> bool:
        """Return whether one of them names a video that goes by these names."""
        given = (name.removeprefix("yt-dlp+") for name in names if name)
        return bool(self.hashes) and any(content_hash(name) in self.hashes for name in given)


def take_down(store: Store, named: str, reason: str) -> None:
    """Write a takedown; one that stands already stays as it is."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    data = json.dumps({"named": named, "reason": reason, "since": since}).encode()
    store.create(f"{_FOLDER}/{content_hash(named)}.json", data)


def all_takedowns(store: Store) -> list[dict[str, str]]:
    """Return every takedown: what it names, its reason and since when."""
    return [json.loads(store.get(name)) for name in store.names(f"{_FOLDER}/")]


def delete_media(store: Store, video_id: str) -> int:
    """Delete every object of a video; return how many there were."""
    names = list(store.names(f"media/{video_id}/"))
    for name in names:
        store.delete(name)
    return len(names)


def known(datasets: Datasets, ledger: Ledger, names: Iterable[str]) -> set[str]:
    """Return the video_ids that go by these names: of admitted videos, and of those that wait for admission."""
    found = {str(row["video_id"]) for named in names for row in ledger.rows("videos_named", named=named)}
    takedowns = Takedowns.read(datasets.store)
    for keys in datasets.partitions(FETCHED):
        for row in datasets.read(FETCHED, _NAMES, **keys).to_pylist():
            if takedowns.covers_any(*row.values()):
                found.add(row["video_id"])
    return found


def leave_out(datasets: Datasets, ledger: Ledger, videos: set[str], reason: str) -> list[str]:
    """Leave admitted videos out of every read from now on, bytes kept; return the releases that held them.

    The caller opens the transaction. The store is told first: what the ledger loses when it fails is done again.
    """
    for video_id in sorted(videos):
        take_down(datasets.store, video_id, reason)
    releases = withdraw(datasets, videos, reason)
    ledger.run_many("add_tombstone", [{"video_id": video_id, "reason": reason} for video_id in sorted(videos)])
    return releases


def withdraw(datasets: Datasets, videos: set[str], reason: str) -> list[str]:
    """List the videos as withdrawn beside every release that holds them; return these releases."""
    touched = []
    for keys in datasets.partitions(RELEASES):
        manifest = datasets.need(RELEASES, **keys)
        held = {
            str(video) for table in datasets.tables(manifest, ["video_id"]) for video in table["video_id"].to_pylist()
        }
        for video_id in sorted(held & videos):
            note = {"video_id": video_id, "reason": reason, "since": datetime.now(UTC).isoformat(timespec="seconds")}
            datasets.store.create(f"{manifest.address}/withdrawn/{video_id}.json", json.dumps(note).encode())
        touched += [keys["release"]] if held & videos else []
    return touched
