"""Decoded clips on the scratch disk, for data sets so small that all of them fit: then each is decoded once."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slac_tasks.model import View
from slac_tasks.training.order import Rows
from slac_tasks.video.frames import Pixels
from slac_tasks.video.ring import clip_bytes, clip_shape

_HELD = 1


@dataclass(frozen=True)
class KeptPixels:
    """The pixels of clips in one file, row by row, beside a file that says which are there.

    It may be sent to other processes of the machine: what one of them decoded, none decodes again.
    """

    folder: Path
    view: View
    clips: int

    def __reduce__(self) -> "tuple[type[KeptPixels], tuple[Path, View, int]]":
        # Open files cannot be sent; the other process opens its own, and sees what this one holds.
        return KeptPixels, (self.folder, self.view, self.clips)

    @property
    def clip_bytes(self) -> int:
        """Bytes of one decoded clip."""
        return clip_bytes(self.view)

    @property
    def size_bytes(self) -> int:
        """Bytes of all of them."""
        return self.clips * self.clip_bytes

    def held(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which of these clips are there."""
        data = np.frombuffer(os.pread(self._flags, self.clips, 0).ljust(self.clips, b"\0"), np.uint8)
        found: NDArray[np.bool_] = data[rows] == _HELD
        return found

    def read(self, rows: Rows) -> Pixels:
        """Return these clips, which are there."""
        found = np.empty((len(rows), *clip_shape(self.view)), np.uint8)
        for row, clip in zip(rows.tolist(), found, strict=True):
            data = os.pread(self._pixels, self.clip_bytes, row * self.clip_bytes)
            clip[...] = np.frombuffer(data, np.uint8).reshape(clip.shape)
        return found

    def write(self, row: int, clip: Pixels) -> None:
        """Hold a clip. A disk that is full holds no more clips, and nothing else follows from it."""
        # Written, not mapped for writing: a full disk is then an error and not a killed process.
        try:
            written = os.pwrite(self._pixels, clip.tobytes(), row * self.clip_bytes)
            if written == self.clip_bytes:
                os.pwrite(self._flags, bytes([_HELD]), row)
        except OSError:
            return

    def close(self) -> None:
        """Close both files."""
        os.close(self._pixels)
        os.close(self._flags)

    @cached_property
    def _pixels(self) -> int:
        return self._opened("pixels")

    @cached_property
    def _flags(self) -> int:
        return self._opened("flags")

    def _opened(self, name: str) -> int:
        return os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)
