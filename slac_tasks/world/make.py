"""Writing the generated world to disk: films first, then what the source says of them, and what is true."""

import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from slac_tasks.world import disk, film, presets, truth
from slac_tasks.world.catalogue import Catalogue, Entry, Trimmed, make_catalogue
from slac_tasks.world.guidelines import guidelines


def make_world(folder: Path, *, seed: int, size: str, processes: int) -> bool:
    """Write the world of (seed, size) into `folder`; return False when it is there already.

    A world that was cut off goes on where it stopped.

    Raises:
        BrokenContract: the folder holds another world.

    """
    folder = folder.absolute()
    with disk.making(folder, disk.world_stamp(seed, size)) as wanted:
        if wanted:
            catalogue = make_catalogue(seed, size)
            _films(folder, catalogue, processes)
            disk.write_rows(folder / disk.MANIFEST, (_offer(entry).line() for entry in catalogue.entries))
            disk.write_rows(folder / truth.FILE, (_shown(entry).line() for entry in catalogue.entries))
            disk.write(
                folder / disk.GUIDELINES, json.dumps(dict(guidelines(size)), ensure_ascii=False, indent=1) + "\n"
            )
            disk.write(folder / "slac.toml", presets.world_settings(folder, size))
    return wanted


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
        disk.staged(folder / entry.location, lambda part: film.break_file(part, entry.broken, entry.script))
    else:
        disk.staged(folder / entry.location, lambda part: film.film(part, entry.script))


def _clip(folder: Path, clip: Trimmed) -> None:
    disk.staged(folder / clip.location, lambda part: film.film(part, clip.script))


def _copied(folder: Path, pair: tuple[Entry, str]) -> None:
    entry, original = pair
    disk.staged(folder / entry.location, lambda part: film.copy(part, folder / original, entry.copied))


def _offer(entry: Entry) -> disk.Offered:
    return disk.Offered(
        category=entry.category, location=entry.location, source_id=entry.source_id, published_at=entry.published_at,
        licence="CC0-1.0",
    )  # fmt: skip


def _shown(entry: Entry) -> truth.Shown:
    script = entry.script
    return truth.Shown(
        source_id=entry.source_id,
        category=entry.category,
        duration_sec=script.duration_sec,
        segments=truth.by_action((each.action.key, each.start_sec, each.end_sec) for each in script.segments),
        shots=tuple((shot.start_sec, shot.end_sec, shot.people) for shot in script.shots),
        copy_of=entry.copy_of,
        broken=entry.broken,
    )
