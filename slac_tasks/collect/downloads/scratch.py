"""Folders of downloads that are not finished: a later try goes on there, on the same machine."""

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from slac_tasks.collect.settings import Fetch
from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.given.folders import path_of
from slac_tasks.scratch import Scratch

_KEPT_SEC = 30 * 86_400.0
"""A download that nobody has gone on with for so long is begun anew: its drop was tried as often as it shall be."""

_KEY = "[0-9a-f]" * 16
"""What a `content_hash` looks like."""


@contextmanager
def own_folder(settings: Fetch, key: str) -> Iterator[Path]:
    """Yield the folder of the download `key`, with what an earlier try left of the original.

    Where another process works in it, an empty folder is given instead.

    Raises:
        NotConfigured: the folder of all downloads belongs to another user.

    """
    root = _root(settings)
    folder = root / key
    lock = _lock(root, key)
    if lock is None:
        with Scratch(root) as other:
            yield other
        return
    with lock:
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in folder.iterdir():
            if not path.name.startswith("original"):
                path.unlink()
        try:
            yield folder
        finally:
            if not any(folder.glob("original*")):
                shutil.rmtree(folder, ignore_errors=True)
                Path(lock.name).unlink(missing_ok=True)


@contextmanager
def alone(settings: Fetch, key: str, what: str) -> Iterator[None]:
    """Have the work `key` for this process; one that is killed gives it back.

    Only processes of this machine see each other. Those of two machines may do the same work, of which one is written.

    Raises:
        Temporary: another process of this machine does it; the message says `what`.

    """
    lock = _lock(_root(settings), key)
    if lock is None:
        raise Temporary(f"{what}: another process does it now; this one wrote nothing")
    with lock:
        try:
            yield
        finally:
            Path(lock.name).unlink(missing_ok=True)


def sweep(settings: Fetch) -> None:
    """Delete the downloads that nobody goes on with, and nothing else that lies in the folder."""
    root = _root(settings)
    folders = [path.with_suffix("") for path in root.glob(f"{_KEY}.lock")]
    for folder in [folder for folder in folders if _age_sec(folder) > _KEPT_SEC]:
        if lock := _lock(root, folder.name):
            with lock:
                shutil.rmtree(folder, ignore_errors=True)
                Path(lock.name).unlink(missing_ok=True)


def _age_sec(folder: Path) -> float:
    """Return how long ago something was last written into a folder."""
    try:
        return time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:  # another process has just finished it
        return 0.0


def _lock(root: Path, key: str) -> IO[str] | None:
    """Lock the file by which processes see each other's work; None: another process has it."""
    while True:
        file = _opened(root, key)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        # Whoever had it may have deleted it a moment ago: the next process would lock another file of that name.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def _opened(root: Path, key: str) -> IO[str]:
    try:
        return (root / key).with_suffix(".lock").open("w", encoding="ascii")
    except OSError as error:
        # A file system of the kernel's own holds no files of others.
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
            raise NotConfigured(f"fetch.scratch {root}: is not writable: {error.strerror}") from error
        raise


def _root(settings: Fetch) -> Path:
    """Return the folder of all downloads, which no other user of the machine may have made."""
    default = Path(tempfile.gettempdir()) / f"slac-fetch-{os.getuid()}"
    root = path_of(settings.scratch) if settings.scratch else default
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotConfigured(f"fetch.scratch {root}: cannot be created: {error.strerror}") from error
    if root.is_symlink() or root.stat().st_uid != os.getuid():
        raise NotConfigured(f"fetch.scratch {root}: belongs to another user, want a folder of one's own")
    return root
