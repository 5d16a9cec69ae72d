"""A folder with one sub-folder of videos per class; below folders that are named after splits, one level deeper."""

from collections.abc import Iterator
from pathlib import Path

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import SPLITS, OddRow, RawRow, odd


def fits(file: Opened) -> bool:
    """Return whether it is a folder."""
    return file.is_folder


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every file, named by its path below the folder; hidden files are skipped."""
    tops = _folders(file.path)
    if tops and all(top.name.casefold() in SPLITS for top in tops):
        for top in tops:
            yield from _classes(file.path, top, top.name)
    else:
        yield from _classes(file.path, file.path, None)


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def _classes(root: Path, top: Path, split: str | None) -> Iterator[RawRow | OddRow]:
    for path in sorted(top.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            yield odd(f"file {path.relative_to(root)}", "file", "lies in no folder of a class")
    for folder in _folders(top):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                name = str(path.relative_to(root))
                yield RawRow(place=f"file {name}", video=name, label=folder.name, timed=False, split=split)
