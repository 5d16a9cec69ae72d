"""What a world is on disk: every file under a temporary name first, and world.json last."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from slac_tasks import outputs
from slac_tasks.errors import BrokenContract, FullDiskAt
from slac_tasks.model import Window

MANIFEST, MARKER = "manifest.jsonl", "world.json"
"""What the source offers; and which world this is, which says that it is whole."""
GUIDELINES = "guidelines.json"
"""What reviewers are told of each category, by its name."""
_MAKING = ".making.json"

Stamp = Mapping[str, str | int | float]
"""What tells one world from another."""
_VERSION = 3
"""Version of what `slac world make` writes; another version's folder is refused."""


def world_stamp(seed: int, size: str) -> Stamp:
    """Return what tells the generated world of (seed, size) from others."""
    return {"version": _VERSION, "seed": seed, "size": size}


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What the source says of a video; it never says what is in it."""

    category: str
    location: str
    """Path of the file in the world's folder."""
    source_id: str
    published_at: datetime
    licence: str | None

    def line(self) -> dict[str, str | None]:
        """Return the line of the manifest."""
        title = f"{self.category.replace('_', ' ').capitalize()}, {Window.of(self.published_at)}"
        return {**asdict(self), "published_at": self.published_at.isoformat(), "title": title}


def check(folder: Path, stamp: Stamp) -> None:
    """Make sure that a folder holds no other world than this one.

    Raises:
        BrokenContract: it does.

    """
    for path in (folder / MARKER, folder / _MAKING):
        if os.path.exists(path) and (found := json.loads(path.read_text(encoding="utf-8"))) != stamp:
            raise BrokenContract(f"world {folder}: holds {found}, want {stamp}; choose another folder")


@contextmanager
def making(folder: Path, stamp: Stamp) -> Iterator[bool]:
    """Yield whether the world has yet to be written; write world.json when the block has ended well.

    A world that was cut off goes on where it stopped.

    Raises:
        BrokenContract: the folder holds another world.
        WrongArguments: nothing can be written there.

    """
    check(folder, stamp)
    if os.path.exists(folder / MARKER):
        yield False
        return
    write(outputs.folder(folder) / _MAKING, json.dumps(stamp))
    yield True
    write(folder / MARKER, json.dumps(stamp) + "\n")


def staged(target: Path, work: Callable[[Path], None]) -> None:
    """Write a file under a temporary name, then give it its own; one that is there already stands."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        work(part)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Write a text whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    with FullDiskAt(path):
        part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a line of JSON for each row."""
    write(path, "".join(json.dumps(row) + "\n" for row in rows))
