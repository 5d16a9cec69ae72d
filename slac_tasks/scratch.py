"""Folders for files that a process needs for a while, on the disk of its machine.

A process that is killed deletes nothing. What it left is deleted by the next process of the machine that makes a folder
there.
"""

import fcntl
import os
import platform
import shutil
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from weakref import finalize

from slac_tasks.errors import FullDiskAt
from slac_tasks.model import content_hash

_PREFIX = f".slac-scratch-{content_hash(platform.node())}-"
"""Of this machine: on a disk that several share, the locks of one may not be seen by the others."""
_YOUNG_SEC = 60.0
"""A folder that is younger may not be locked yet by the process that has just made it."""


class Scratch:
    """An empty folder that goes with this object, or at the end of the `with` block, which it gives its path."""

    def __init__(self, within: Path | None = None) -> None:
        """Make it within a folder; default: that of temporary files (`TMPDIR`)."""
        root = within or Path(tempfile.gettempdir())
        _sweep(root)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))  # noqa: TID251 - here it is locked
        self._delete = finalize(self, _deleted, self.path, _locked(self.path), os.getpid())

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, kind: object, failure: BaseException | None, trace: object) -> None:
        FullDiskAt(self.path).__exit__(kind, failure, trace)
        self.close()

    def close(self) -> None:
        """Delete the folder with all that is in it."""
        self._delete()


def _deleted(path: Path, lock: int | None, owner: int) -> None:
    # A fork has the object too, and must leave the folder to the process that made it.
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)
    if lock is not None:
        os.close(lock)


def _locked(folder: Path) -> int | None:
    """Lock a folder until this process ends, or closes what is returned; None: it cannot be had."""
    # Some network file systems lock no folders, and nobody can tell there what a living process has.
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
        else:
            return lock
    return None


@cache
def _sweep(root: Path) -> None:
    """Delete the folders of processes that live no more, as far as they are this user's."""
    for folder in root.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.lstat().st_mtime < _YOUNG_SEC:
                continue
            if (lock := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
