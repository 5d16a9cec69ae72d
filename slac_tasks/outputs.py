"""Files and folders that somebody asked a command for: written whole or not at all, and only where they can be."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slac_tasks.errors import FullDiskAt, WrongArguments, is_disk_full
from slac_tasks.scratch import Scratch


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield where to write a file, or a new folder; it gets its name when the block has ended without a failure.

    What is there already is a file that is replaced: a folder is never written over. Of two processes that write the
    same, the one that ends later does not spoil what the other wrote.

    Raises:
        WrongArguments: nothing can be written there, which is seen before the work and not after it.

    """
    with _beside(path) as room, FullDiskAt(path):
        yield room / path.name
        _check(path)
        (room / path.name).replace(path)


def folder(path: Path) -> Path:
    """Return a folder that files are written into, once it is there.

    Raises:
        WrongArguments: it cannot be made, or not be written into.

    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongArguments(f"{path}: cannot be made: {error.strerror}, want a folder") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise WrongArguments(f"{path}: cannot be written into, want a folder of yours")
    return path


def _beside(path: Path) -> Scratch:
    """Return a folder of this process on the disk of `path`; what a killed process has left there is deleted."""
    try:
        _check(path)
        return Scratch(path.parent)
    except OSError as error:
        if is_disk_full(error):
            raise  # the same command may succeed later
        raise WrongArguments(f"{path}: cannot be written: {error.strerror}, want a folder that is there") from error


def _check(path: Path) -> None:
    if not path.name:
        raise WrongArguments(f"{path}: is a folder, want the name of a new file or folder")
    if path.exists() and not path.is_file():
        raise WrongArguments(f"{path}: is there and is no file, want the name of a new file or folder")
