"""Renditions that are made again, for as long as they are read, from originals that were kept.

They are what `fetch` made: one confined pass of ffmpeg, the same clock, the same pixels where ffmpeg is the same.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from slac_tasks.collect.settings import Collect
from slac_tasks.errors import BrokenContract
from slac_tasks.scratch import Scratch
from slac_tasks.video import originals
from slac_tasks.video.sources import OpensMedia


@dataclass(kw_only=True, eq=False)
class _Made:
    """The renditions of one original."""

    folder: Scratch
    users: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Whoever holds it makes them."""
    done: bool = False
    fault: str = ""


class Remade:
    """Opens a rendition, as a store does, by making it; safe to call from several threads."""

    def __init__(self, open_media: OpensMedia, limits: Collect) -> None:
        """Take where the originals are, and what `fetch` takes."""
        self._open_media, self._limits = open_media, limits
        self._lock = threading.Lock()
        self._made: dict[str, _Made] = {}

    @contextmanager
    def __call__(self, name: str, /) -> Iterator[Path]:
        """Yield the path of a rendition, inside the block.

        Raises:
            BrokenContract: its original does not become one.
            NotMade: its original was not kept.

        """
        original = originals.beside(name)
        with self._lock:
            # What nobody reads stays until another is asked for: clips of a video come batch after batch.
            for idle in [key for key, made in self._made.items() if not made.users and key != original]:
                self._made.pop(idle).folder.close()
            if original not in self._made:
                self._made[original] = _Made(folder=Scratch())
            made = self._made[original]
            made.users += 1
        try:
            with made.lock:
                if not made.done:
                    self._make(original, made)
            if made.fault:
                raise BrokenContract(f"{original}: {made.fault}")
            yield made.folder.path / f"{originals.side(name)}.mp4"
        finally:
            with self._lock:
                made.users -= 1

    def _make(self, original: str, made: _Made) -> None:
        try:
            with self._open_media(original) as path:
                originals.make_proxy(path, made.folder.path, originals.probe(path, self._limits), self._limits)
        except originals.Rejected as no:
            made.fault = str(no)
        made.done = True

    def close(self) -> None:
        """Delete what was made."""
        for made in self._made.values():
            made.folder.close()
        self._made.clear()
