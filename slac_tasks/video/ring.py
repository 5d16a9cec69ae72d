"""Pixels that processes share: as many slots as batches are under way, in each a batch of clips in every view."""

import mmap
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import Temporary
from slac_tasks.model import View
from slac_tasks.video.frames import Pixels


def clip_shape(view: View) -> tuple[int, int, int, int]:
    """Return the shape of one clip: frames, height, width, colours."""
    return view.frames, view.size, view.size, 3


def clip_bytes(view: View) -> int:
    """Return the bytes of one clip."""
    return view.frames * view.size**2 * 3


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a ring holds. It is sent to processes, and does not grow with the data set."""

    views: tuple[View, ...]
    batch: int
    """Clips in a slot."""
    slots: int

    @property
    def slot_bytes(self) -> int:
        """Bytes of one slot."""
        return sum(self._view_bytes(view) for view in self.views)

    @property
    def size_bytes(self) -> int:
        """Bytes of all slots."""
        return self.slot_bytes * self.slots

    def slots_of(self, memory: "mmap.mmap | NDArray[np.uint8]") -> list[Mapping[View, Pixels]]:
        """Return the slots that lie in this memory: by view, (batch, frames, size, size, 3)."""
        return [dict(self._slot(memory, number * self.slot_bytes)) for number in range(self.slots)]

    def _slot(self, memory: "mmap.mmap | NDArray[np.uint8]", begin: int) -> Iterator[tuple[View, Pixels]]:
        for view in self.views:
            size = self._view_bytes(view)
            yield view, np.frombuffer(memory, np.uint8, size, begin).reshape(self.batch, *clip_shape(view))
            begin += size

    def _view_bytes(self, view: View) -> int:
        return self.batch * clip_bytes(view)


def mapped(descriptor: int, shape: Shape) -> mmap.mmap:
    """Return the memory of a ring, as this process sees it."""
    return mmap.mmap(descriptor, shape.size_bytes)


@contextmanager
def shared_file(size: int) -> Iterator[int]:
    """Yield the descriptor of a file without a name, in memory where the system can; all of its room is taken.

    Raises:
        Temporary: there is not so much room. Found later, it would end a process in the middle of a write.

    """
    # /dev/shm is 64 MiB in a container, whatever memory it has; a memory file is not bound by that.
    memory = hasattr(os, "memfd_create")
    with os.fdopen(os.memfd_create("slac-clips"), "r+b") if memory else tempfile.TemporaryFile(prefix="slac-") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            raise Temporary(
                f"decoding: shared memory: no room for {size / 2**20:.0f} MiB ({error.strerror}); want it free, or "
                "smaller batches in `scoring.batch`, or fewer processes in `scoring.workers`"
            ) from error
        yield file.fileno()
