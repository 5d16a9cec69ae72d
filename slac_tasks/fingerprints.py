"""Which videos show the same: perceptual hashes of one frame per second, aligned in time (ours)."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

_FLAT = 4.0
"""A frame whose grey values deviate less than this looks like every other flat frame: it has no hash, 0."""


def frame_hash(frame: NDArray[np.uint8]) -> int:
    """Return the 64-bit perceptual hash of an RGB frame, 0 for a frame without content.

    The low 8 x 8 frequencies of the 32 x 32 grey frame, each above or below their median (pHash, DCT variant).
    """
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    if float(grey.std()) < _FLAT:
        return 0
    low = cv2.dct(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32))[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def video_hashes(small: NDArray[np.uint8], fps: float) -> list[int]:
    """Return one hash for each second of a video, of the frame in its middle; `small` is (frames, h, w, 3) RGB."""
    middles = np.arange(0.5, max(len(small) / fps, 0.51), 1.0)
    return [frame_hash(small[min(int(middle * fps), len(small) - 1)]) for middle in middles]


def shared_frames(ours: Sequence[int], theirs: Sequence[int], *, max_distance: int) -> float:
    """Return the share of the shorter video's frames that the longer one shows at the same place in time.

    Frames are compared at one shift between the videos, plus or minus a second, so that two videos before one
    background are not the same because a few of their frames are alike. 0 when fewer than two frames have content
    (one is enough where the shorter video holds only one).
    """
    short, long = sorted((np.array(ours, np.uint64), np.array(theirs, np.uint64)), key=len)
    content = short != 0
    if not content.any():
        return 0.0
    alike = (np.bitwise_count(short[:, None] ^ long[None, :]) <= max_distance) & content[:, None] & (long != 0)[None, :]
    rows, columns = np.nonzero(alike)
    best = 0
    for shift in np.unique(columns - rows):
        near = np.abs(columns - rows - shift) <= 1
        best = max(best, len(np.unique(rows[near])))
    if best < min(2, len(short)):
        return 0.0
    return best / int(content.sum())


def to_signed(hashes: Sequence[int]) -> list[int]:
    """Return the hashes as Postgres keeps them: bigint is signed."""
    return [value - (1 << 64) if value >= 1 << 63 else value for value in hashes]


def from_signed(hashes: Sequence[int]) -> list[int]:
    """Return the hashes that `to_signed` wrote."""
    return [value % (1 << 64) for value in hashes]
