"""Perceptual fingerprints of videos: one 64-bit hash per second, and when two videos are near-duplicates."""

from collections.abc import Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from slac_tasks.config import Admission

Hashes = NDArray[np.uint64]

_LEAST_BITS = 8
"""A hash with fewer bits set is of a flat frame, black or faded, and says nothing about the video."""


def frame_hash(frame: NDArray[np.uint8]) -> int:
    """Return the DCT perceptual hash of a frame, 64 bits: alike under scale, compression, grey and small logos.

    Args:
        frame: RGB, shape (height, width, 3).

    """
    bits = imagehash.phash(Image.fromarray(frame)).hash.ravel()
    return int(np.packbits(bits).view(">u8")[0])


def telling(hashes: Sequence[int]) -> Hashes:
    """Return the hashes that say something about the video, once each."""
    values = np.unique(np.array(hashes, dtype=np.uint64))
    return np.asarray(values[np.bitwise_count(values) >= _LEAST_BITS])


def shared_frames(a: Hashes, b: Hashes, most_bits: int) -> float:
    """Return the share of the shorter video's frames that look like some frame of the other, 0 to 1.

    A longer cut that holds the shorter one whole shares 1.0 (ours).
    """
    if len(a) > len(b):
        a, b = b, a
    if not len(a):
        return 0.0
    distance = np.bitwise_count(a[:, None] ^ b[None, :])
    return float((distance.min(axis=1) <= most_bits).mean())


@dataclass(frozen=True, kw_only=True)
class Known:
    """A video that is in the dataset."""

    video_id: str
    hashes: Hashes


class Index:
    """The videos in the dataset, searched for near-duplicates. Memory: 8 bytes a second of video."""

    def __init__(self, knobs: Admission) -> None:
        self._knobs = knobs
        self._known: list[Known] = []
        self._all = np.empty(0, dtype=np.uint64)
        self._owner = np.empty(0, dtype=np.int64)

    def add(self, video_id: str, hashes: Sequence[int]) -> None:
        """Put a video into the index, after those already there."""
        found = telling(hashes)
        self._owner = np.concatenate([self._owner, np.full(len(found), len(self._known))])
        self._all = np.concatenate([self._all, found])
        self._known.append(Known(video_id=video_id, hashes=found))

    def near(self, hashes: Sequence[int]) -> list[str]:
        """Return the video_ids of all near-duplicates, in the order in which they were added."""
        mine = telling(hashes)
        hits = np.zeros(len(self._known), dtype=bool)
        for value in mine:
            hits[self._owner[np.bitwise_count(self._all ^ value) <= self._knobs.max_hash_distance]] = True
        return [
            self._known[owner].video_id
            for owner in np.flatnonzero(hits)
            if shared_frames(mine, self._known[owner].hashes, self._knobs.max_hash_distance)
            >= self._knobs.min_shared_frames
        ]
