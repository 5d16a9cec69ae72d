"""Files and folders that somebody asked a command for: written whole or not at all, and only where they can be."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from slac_tasks.errors import FullDiskAt, Temporary, WrongArguments, is_disk_full
from slac_tasks.model import content_hash
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


@contextmanager
def over_runs(path: Path, mark: str) -> Iterator[Path]:
    """Yield where to write a new folder that takes long; it gets its name when the block has ended without a failure.

    What a run that failed or was killed has written is there again. It lies in a hidden folder beside `path`.

    Args:
        path: the new folder.
        mark: a hash of all that it is made of: what was made of something else is deleted.

    Raises:
        WrongArguments: nothing can be written there.
        Temporary: another process writes it.

    """
    begun = f".slac-unfinished-{content_hash(path.name)}-"
    try:
        _check(path)
        room = path.with_name(begun + mark)
        room.mkdir(exist_ok=True)
    except OSError as error:
        raise _refused(path, error) from error
    with _alone(room, path), FullDiskAt(path):
        for other in path.parent.iterdir():
            if other.name.startswith(begun) and other != room:
                with suppress(Temporary), _alone(other, path):
                    shutil.rmtree(other)
        yield room / path.name
        _check(path)
        (room / path.name).replace(path)
        room.rmdir()


@contextmanager
def _alone(room: Path, path: Path) -> Iterator[None]:
    """Hold a folder for this process; one that was killed holds it no more."""
    held = os.open(room, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with suppress(OSError):  # some network file systems lock no folders
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Temporary(f"{path}: another process writes it") from error
        yield
    finally:
        os.close(held)


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
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> Exception:
    """Return the failure of a place where nothing can be made."""
    if is_disk_full(error):
        return error  # the same command may succeed later
    return WrongArguments(f"{path}: cannot be written: {error.strerror}, want a folder that is there")


def _check(path: Path) -> None:
    if not path.name:
        raise WrongArguments(f"{path}: is a folder, want the name of a new file or folder")
    if path.exists() and not path.is_file():
        raise WrongArguments(f"{path}: is there and is no file, want the name of a new file or folder")
