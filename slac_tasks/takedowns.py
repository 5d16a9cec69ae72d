"""What somebody asked to have removed: one small object each in the store, so that stages without the ledger see it.

A takedown names a video by its video_id, the SHA-256 of its bytes, its source's name of it, or its address. It holds
for what is found later too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slac_tasks.model import content_hash
from slac_tasks.store import Store

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

    def cover(self, row: Mapping[str, Any]) -> bool:
        """Return whether one of them names this row's video, by any of the names that the row has."""
        names = (str(row[name]).removeprefix("yt-dlp+") for name in _NAMES if row.get(name))
        return bool(self.hashes) and any(content_hash(name) in self.hashes for name in names)


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
