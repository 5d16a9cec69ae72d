"""Renditions that are opened for decoders: by threads of this process, which may hold a store's secrets.

Decoders are given paths and see neither the store nor what opens it. A rendition is opened once for all pieces of work
that need it at about the same time.
"""

import os
from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)


class OpensMedia(Protocol):
    """Gives a local path of a media object for the length of a block."""

    def __call__(self, name: str, /) -> AbstractContextManager[Path]:
        """Return a context manager for the object of this name."""


@dataclass(kw_only=True)
class _Held:
    """One rendition."""

    opened: ExitStack
    path: "Future[Path]"
    users: int = 0


class Arrived(NamedTuple, Generic[K]):
    """A rendition that is open, or that cannot be opened."""

    work: K
    path: "Future[Path]"


class Sources(Generic[K]):
    """Opens renditions, and says for which pieces of work they are there."""

    def __init__(self, open_media: OpensMedia, threads: int) -> None:
        self._open_media = open_media
        self._threads = ThreadPoolExecutor(threads, "media")
        self._held: dict[str, _Held] = {}
        self._arrived: deque[Arrived[K]] = deque()
        self.bell, self._rope = os.pipe()
        """`bell` is readable when something has arrived."""

    def take(self, name: str, work: K) -> None:
        """Open a rendition for this work; it arrives later."""
        held = self._held.get(name)
        if held is None:
            opened = ExitStack()
            path = self._threads.submit(lambda: opened.enter_context(self._open_media(name)))
            held = self._held[name] = _Held(opened=opened, path=path)
        held.users += 1
        held.path.add_done_callback(lambda path: self._ring(Arrived(work, path)))

    def _ring(self, arrived: Arrived[K]) -> None:
        self._arrived.append(arrived)
        os.write(self._rope, b"!")

    def arrived(self) -> list[Arrived[K]]:
        """Return what has arrived since the last call."""
        if not self._arrived:
            return []
        found = os.read(self.bell, 4096)
        return [self._arrived.popleft() for _ in found]

    def give_back(self, name: str) -> None:
        """Close a rendition when its last work has given it back."""
        held = self._held[name]
        held.users -= 1
        if not held.users:
            del self._held[name]
            held.opened.close()

    def close(self) -> None:
        """Close everything."""
        self._threads.shutdown(cancel_futures=True)
        for held in self._held.values():
            held.opened.close()
        self._held.clear()
        os.close(self.bell)
        os.close(self._rope)
