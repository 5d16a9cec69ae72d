"""A folder with one sub-folder of videos per class; below folders that are named after splits, one level deeper."""

import os
from collections.abc import Iterator
from pathlib import Path

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import SPLITS, OddRow, RawRow, odd
from slac_tasks.errors import WrongArguments
from slac_tasks.given import folders
from slac_tasks.given.words import printable


def fits(file: Opened) -> bool:
    """Return whether it is a folder."""
    return file.is_folder


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every file, named by its path below the folder; hidden files are skipped."""
    tops = [path for path in _shown(file.path) if os.path.isdir(path)]
    if tops and all(top.name.casefold() in SPLITS for top in tops):
        for top in tops:
            yield from _classes(file.path, top, top.name)
    else:
        yield from _classes(file.path, file.path, None)


def _shown(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise WrongArguments(f"folder {folder}: cannot be read: {error.strerror}") from error


def _classes(root: Path, top: Path, split: str | None) -> Iterator[RawRow | OddRow]:
    for path in _shown(top):
        if not os.path.isdir(path):
            yield odd(f"file {printable(str(path.relative_to(root)))}", "file", "lies in no folder of a class")
            continue
        failures: list[OSError] = []
        for each in folders.files(path, failures):
            name = str(each.relative_to(root))
            yield RawRow(place=f"file {printable(name)}", video=name, label=path.name, timed=False, split=split)
        for failure in failures:
            yield odd(f"file {printable(os.path.relpath(failure.filename, root))}", "file", folders.told(failure))
