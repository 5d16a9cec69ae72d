"""A bounded local cache of media, for loops that read the same renditions many times.

Objects of a folder are read where they are. Those of an S3 are copied into a folder once, and what was read longest ago
leaves when there is no more room. Any number of processes may share the folder.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from slac_tasks.errors import is_disk_full
from slac_tasks.storage.objects import Media

_BUCKET_BYTES = 256 * 2**20
"""The folder is divided into parts of about this size, so that to make room few files are listed."""
_MOST_BUCKETS = 256
_OPEN_SEC = 86_400.0
"""Nobody reads one file for longer: it is what a process that was killed had open."""


@dataclass(frozen=True)
class CachedMedia:
    """Hands out local paths like `Media`, in this process or in one that this object is sent to."""

    media: Media
    folder: Path
    most_bytes: int
    """The files in the folder never have more bytes together, beside those that are open at the moment."""

    @contextmanager
    def __call__(self, name: str) -> Iterator[Path]:
        """Yield a local path with the bytes of `name`, valid inside the block."""
        if urlsplit(self.media.url).scheme != "s3":
            with self.media(name) as path:
                yield path
            return
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        bucket = self.folder / f"{int(digest[:8], 16) % self._buckets:02x}"
        held = bucket / f"{digest}{Path(name).suffix}"
        # A name of its own: whoever makes room meanwhile removes the other one.
        own = self.folder / "open" / f"{digest}.{secrets.token_hex(6)}{Path(name).suffix}"
        own.parent.mkdir(parents=True, exist_ok=True)
        try:
            if not _linked(held, own):
                with self.media(name) as path:
                    try:
                        _copied(path, own)
                    except OSError as error:
                        if not is_disk_full(error):
                            raise
                        # A disk that others filled costs time, and no clip.
                        yield path
                        return
                self._hold(own, held)
            yield own
        finally:
            own.unlink(missing_ok=True)

    @property
    def _buckets(self) -> int:
        return min(_MOST_BUCKETS, max(1, self.most_bytes // _BUCKET_BYTES))

    def _hold(self, own: Path, held: Path) -> None:
        """Put a copy into its part of the folder, and remove what was read longest ago where that is too much."""
        room = self.most_bytes // self._buckets
        size = own.stat().st_size
        if size > room:
            return
        _sweep(own.parent)
        held.parent.mkdir(parents=True, exist_ok=True)
        with open(held.parent / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if held.exists():
                return
            files = sorted((stat.st_mtime_ns, stat.st_size, path) for path, stat in _files(held.parent))
            total = sum(bytes_ for _, bytes_, _ in files) + size
            for _, bytes_, path in files:
                if total <= room:
                    break
                path.unlink(missing_ok=True)
                total -= bytes_
            os.link(own, held)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                with suppress(FileNotFoundError):
                    yield Path(entry.path), entry.stat()


def _sweep(opened: Path) -> None:
    """Remove what processes that were killed had open."""
    for path, stat in _files(opened):
        if stat.st_mtime < time.time() - _OPEN_SEC:
            path.unlink(missing_ok=True)


def _linked(held: Path, own: Path) -> bool:
    """Give the file at `held` a second name, and mark it as just read; return whether it is there."""
    try:
        os.utime(held)
        os.link(held, own)
    except FileNotFoundError:
        return False
    return True


def _copied(path: Path, own: Path) -> None:
    try:
        os.link(path, own)
    except OSError:  # another file system
        shutil.copyfile(path, own)
