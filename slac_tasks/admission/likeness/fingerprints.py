"""What a video looks like, in 32 bytes for each half second, such that edited copies look the same (ours).

Each half second is a row of four numbers: three hashes of the picture, and what moved in it.

A picture hash has 64 bits: whether each of 8 x 8 cells is brighter than the cell on its left, after local brightness
and contrast are evened out. A logo changes only the bits of the cells that it covers, grey and re-encoding next to
none. It is taken of the whole picture and of its middle 90 % and 80 %: a copy whose borders were cropped shows as a
whole what the original shows in its middle. Bars around the picture are left out first.

The motion number holds, for each of these three views, the signs of 21 low spatial frequencies of the picture less its
mean over four seconds to either side. What stands still cancels out, backgrounds and logos too: two videos before one
background share their pictures, never their motion.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.float32]
Table = NDArray[np.uint64]
"""A fingerprint, (half seconds, NUMBERS)."""

ROWS_PER_SEC = 2.0
VIEWS = (1.0, 0.9, 0.8)
"""Share of the picture's width and height, about its middle, that each picture hash sees."""
NUMBERS = len(VIEWS) + 1
"""Numbers in a row: a hash per view, then the motion."""
MOTION_BITS = 21
"""Bits of motion per view, the first view's in the highest of 63."""

_CELLS = 32
"""A view is brought to this many pixels squared before it is hashed."""
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_FLAT = 4.0
"""A view whose grey values deviate less than this looks like every other flat one: it has no hash, 0."""
_STILL = 0.1
"""Motion below this many grey values is noise of the encoder: it has no bits, 0."""
_SOFTEN = 8.0
"""Local contrast below this many grey values is not raised further: it is noise."""
_BAR_DEVIATION, _BAR_CHANGE = 3.0, 4.0
"""A bar is flat within a picture and stays the same over the video, up to this many grey values."""
_MEAN_ROWS = 8
"""Motion is what differs from the mean over so many rows to either side."""


def _averaging(weights: NDArray[np.float64]) -> Pictures:
    """Return the weights with rows that sum to 1."""
    averages: Pictures = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return averages


def _blur() -> Pictures:
    distance = np.arange(_CELLS)[:, None] - np.arange(_CELLS)[None, :]
    weights = np.exp(-0.5 * (distance / 6.0) ** 2)
    return _averaging(weights)


def _cosines() -> Pictures:
    """Return the 6 lowest of the orthonormal cosine transform's rows; shape (6, 32)."""
    rows = np.cos(np.pi * (2 * np.arange(_CELLS)[None, :] + 1) * np.arange(6)[:, None] / (2 * _CELLS))
    rows *= np.sqrt(np.where(np.arange(6) == 0, 1, 2) / _CELLS)[:, None]
    return rows.astype(np.float32)


_BLUR, _COSINES = _blur(), _cosines()
_FREQUENCIES = (*((down, across) for down in range(6) for across in range(6) if 0 < down + across <= 5), (3, 3))


def video_hashes(small: NDArray[np.uint8], fps: float) -> list[int]:
    """Return a video's fingerprint: NUMBERS unsigned 64-bit numbers per half second, row after row.

    Args:
        small: every frame, RGB, (frames, height, width, 3).
        fps: frames per second.

    """
    pictures = _half_seconds(small, fps)
    views = _views(pictures, _picture_inside_bars(pictures))
    table = np.concatenate([_picture_hashes(views), _motion(views)[:, None]], axis=1)
    return [int(value) for value in table.ravel()]


def table(hashes: Sequence[int]) -> Table:
    """Return a fingerprint as rows; none for a video whose fingerprint is unknown."""
    return np.array(hashes, np.uint64).reshape(-1, NUMBERS)


def to_signed(hashes: Sequence[int]) -> list[int]:
    """Return the numbers as Postgres keeps them: bigint is signed."""
    return [value - (1 << 64) if value >= 1 << 63 else value for value in hashes]


def from_signed(hashes: Sequence[int]) -> list[int]:
    """Return the numbers that `to_signed` wrote."""
    return [value % (1 << 64) for value in hashes]


def _half_seconds(small: NDArray[np.uint8], fps: float) -> Pictures:
    """Return the mean grey picture of each half second: less than a frame's detail, but no luck of the draw."""
    count = max(1, round(len(small) / fps * ROWS_PER_SEC))
    edges = np.rint(np.arange(count + 1) * fps / ROWS_PER_SEC).astype(int)
    edges[-1] = len(small)
    pictures = np.empty((count, *small.shape[1:3]), np.float32)
    for row in range(count):
        start = min(edges[row], len(small) - 1)
        pictures[row] = small[start : max(edges[row + 1], start + 1)].mean(axis=0, dtype=np.float32) @ _GREY
    return pictures


def _picture_inside_bars(pictures: Pictures) -> tuple[int, int, int, int]:
    """Return (top, bottom, left, right) of what lies inside bars of one colour, of a third of a side at most."""
    turned = pictures.transpose(0, 2, 1)
    height, width = pictures.shape[1:]
    return _bar(pictures), height - _bar(pictures[:, ::-1]), _bar(turned), width - _bar(turned[:, ::-1])


def _bar(pictures: Pictures) -> int:
    """Return how many lines from the top belong to a bar."""
    deviation = np.percentile(pictures.std(axis=2), 90, axis=0)
    low, high = np.percentile(pictures.mean(axis=2), (5, 95), axis=0)
    bar = (deviation < _BAR_DEVIATION) & (high - low < _BAR_CHANGE)
    most = pictures.shape[1] // 3
    return int(np.argmin(np.append(bar[:most], False)))


def _views(pictures: Pictures, inside: tuple[int, int, int, int]) -> Pictures:
    """Return the views of each picture; shape (pictures, views, 32, 32)."""
    top, bottom, left, right = inside
    views = []
    for share in VIEWS:
        down = _shrink(pictures.shape[1], (top + bottom) / 2, (bottom - top) * share)
        across = _shrink(pictures.shape[2], (left + right) / 2, (right - left) * share)
        views.append(down @ pictures @ across.T)
    return np.stack(views, axis=1)


def _shrink(pixels: int, middle: float, length: float) -> Pictures:
    """Return the matrix that averages a stretch of `pixels` into equal cells; shape (32, pixels)."""
    edges = np.linspace(middle - length / 2, middle + length / 2, _CELLS + 1)
    place = np.arange(pixels)
    weights = np.minimum(edges[1:, None], place + 1) - np.maximum(edges[:-1, None], place)
    return _averaging(np.clip(weights, 0, None))


def _picture_hashes(views: Pictures) -> NDArray[np.uint64]:
    """Return the hash of each view; shape (pictures, views)."""
    even = views - _BLUR @ views @ _BLUR.T
    even /= np.sqrt(_BLUR @ (even * even) @ _BLUR.T + _SOFTEN**2)
    count, kinds = views.shape[:2]
    cells = even.reshape(count, kinds, 8, _CELLS // 8, 8, _CELLS // 8).mean(axis=(3, 5))
    # The first column is compared with the last, so that there are 64 bits.
    hashes = _packed((cells > np.roll(cells, 1, axis=-1)).reshape(count, kinds, 64))
    hashes[views.std(axis=(2, 3)) < _FLAT] = 0
    return hashes


def _motion(views: Pictures) -> NDArray[np.uint64]:
    """Return the motion number of each picture; shape (pictures,)."""
    low = np.stack([(_COSINES @ views @ _COSINES.T)[..., down, across] for down, across in _FREQUENCIES], axis=-1)
    count = len(low)
    ends = np.concatenate([low[:1], low, low[-1:]])
    now = (ends[:-2] + 2 * ends[1:-1] + ends[2:]) / 4
    sums = np.concatenate([np.zeros_like(low[:1], np.float64), np.cumsum(low, axis=0, dtype=np.float64)])
    first = np.maximum(np.arange(count) - _MEAN_ROWS, 0)
    last = np.minimum(np.arange(count) + _MEAN_ROWS + 1, count)
    moved = now - (sums[last] - sums[first]) / (last - first)[:, None, None]
    bits = (moved > 0) & (np.sqrt((moved * moved).sum(axis=-1)) / _CELLS >= _STILL)[..., None]
    return _packed(np.concatenate([np.zeros((count, 1), bool), bits.reshape(count, -1)], axis=1))


def _packed(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return the numbers whose 64 bits, the highest first, are the last axis."""
    return np.packbits(bits, axis=-1).view(">u8")[..., 0].astype(np.uint64)
