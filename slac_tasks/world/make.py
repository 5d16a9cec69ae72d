"""Writing a world to disk: every file under a temporary name first, and world.json last."""

import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from slac_tasks.errors import BrokenContract
from slac_tasks.model import Window
from slac_tasks.world import film, presets, truth
from slac_tasks.world.catalogue import Catalogue, Entry, Trimmed, make_catalogue

VERSION = 2
"""Version of what `make` writes; another version's folder is refused."""


def make_world(folder: Path, *, seed: int, size: str, processes: int) -> bool:
    """Write the world of (seed, size) into `folder`; return False when it is there already.

    A world that was cut off goes on where it stopped.

    Raises:
        BrokenContract: the folder holds another world.

    """
    folder = folder.absolute()
    stamp = {"version": VERSION, "seed": seed, "size": size}
    marker = folder / "world.json"
    for path in (marker, folder / ".making.json"):
        if path.exists() and (found := json.loads(path.read_text(encoding="utf-8"))) != stamp:
            raise BrokenContract(f"world {folder}: holds {found}, want {stamp}; choose another folder")
    if marker.exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / ".making.json", json.dumps(stamp))
    catalogue = make_catalogue(seed, size)
    _films(folder, catalogue, processes)
    _write(folder / "manifest.jsonl", _lines(_offer(entry) for entry in catalogue.entries))
    _write(folder / truth.FILE, _lines(truth.line(entry) for entry in catalogue.entries))
    _write(folder / "slac.toml", presets.world_settings(folder, size))
    _write(marker, json.dumps(stamp) + "\n")
    return True


def _films(folder: Path, catalogue: Catalogue, processes: int) -> None:
    """Draw everything, originals before their copies."""
    originals = [entry for entry in catalogue.entries if not entry.copy_of]
    located = {entry.source_id: entry.location for entry in originals}
    with ProcessPoolExecutor(max_workers=processes) as pool:
        list(pool.map(partial(_original, folder), originals, chunksize=4))
        list(pool.map(partial(_clip, folder), catalogue.trimmed, chunksize=16))
        list(
            pool.map(
                partial(_copied, folder),
                [(entry, located[entry.copy_of]) for entry in catalogue.entries if entry.copy_of],
            )
        )


def _original(folder: Path, entry: Entry) -> None:
    if entry.broken:
        _staged(folder / entry.location, lambda part: film.break_file(part, entry.broken, entry.script))
    else:
        _staged(folder / entry.location, lambda part: film.film(part, entry.script))


def _clip(folder: Path, clip: Trimmed) -> None:
    _staged(folder / clip.location, lambda part: film.film(part, clip.script))


def _copied(folder: Path, pair: tuple[Entry, str]) -> None:
    entry, original = pair
    _staged(folder / entry.location, lambda part: film.copy(part, folder / original, entry.copied))


def _staged(target: Path, work: Callable[[Path], None]) -> None:
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


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _offer(entry: Entry) -> dict[str, str]:
    """Return what a source says of a video; it never says what is in it."""
    return {
        "category": entry.category,
        "location": entry.location,
        "source_id": entry.source_id,
        "title": f"{entry.category.replace('_', ' ').capitalize()}, {Window.of(entry.published_at)}",
        "licence": "CC0-1.0",
        "published_at": entry.published_at.isoformat(),
    }
