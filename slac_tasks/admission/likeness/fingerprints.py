"""What a video looks like, in 32 bytes for each half second, such that edited copies look the same (ours).

A video of at most 20 s also has details (`slac_tasks.admission.likeness.details`), 512 bytes for each half second.

Each half second is a row of four numbers: three hashes of the picture, and what moved in it.

A picture hash has 64 bits: whether each of 8 x 8 cells is brighter than the cell on its left, after local brightness
and contrast are evened out. A logo changes only the bits of the cells that it covers, grey and re-encoding next to
none. It is taken of the whole picture and of its middle 90 % and 80 %: a copy whose borders were cropped shows as a
whole what the original shows in its middle. Bars around the picture are left out first.

The motion number holds, for each of these three views, the signs of 21 low spatial frequencies of the picture less its
mean over four seconds to either side. What stands still cancels out, backgrounds and logos too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slac_tasks.admission.likeness import details

Pictures = NDArray[np.float32]
Table = NDArray[np.uint64]
"""Rows of a fingerprint, (half seconds, NUMBERS)."""

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
_BAR_CHANGE, _BAR_MARKED = 4.0, 0.25
"""A line of a bar has one colour, the same all the time, up to so many grey values; a logo may cover this share ..."""
_BAR_EDGE, _BAR_STEP = 0.4, 12.0
"""... and where the bar ends, this share of the next line differs by so many: a white wall ends at a head alone."""
_MAX_BAR = 0.4
"""Of a side: a picture held upright has bars of a third on either side."""
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Fingerprint:
    """What a video looks like."""

    rows: Table
    """None for a video whose fingerprint is unknown."""
    details: details.Details
    """A picture for each row; none for a long video, and for one that was fetched before there were details."""


def video_hashes(small: NDArray[np.uint8], fps: float) -> list[int]:
    """Return a video's fingerprint as `fingerprint` reads it.

    Args:
        small: every frame, RGB, (frames, height, width, 3).
        fps: frames per second.

    """
    pictures = _half_seconds(small, fps)
    views = _views(pictures, _picture_inside_bars(pictures))
    even = _evened(views)
    rows = np.concatenate([_picture_hashes(views, even), _motion(views)[:, None]], axis=1)
    numbers = [int(value) for value in rows.ravel()]
    if len(rows) > details.MOST_ROWS:
        return numbers
    return [*numbers, *details.packed(_details(even)), len(rows)]


def fingerprint(hashes: Sequence[int]) -> Fingerprint:
    """Return the fingerprint that was written as one list of numbers.

    NUMBERS of each row, row after row. Where there are details, those of all rows follow, and the number of rows: so
    that lists of an older version, which end after the rows, are read too.
    """
    numbers = np.array(hashes, np.uint64)
    if len(numbers) % NUMBERS == 0:
        return Fingerprint(rows=numbers.reshape(-1, NUMBERS), details=details.NONE)
    count = int(numbers[-1])
    rows, rest = numbers[: NUMBERS * count], numbers[NUMBERS * count : -1]
    return Fingerprint(rows=rows.reshape(count, NUMBERS), details=details.unpacked(rest, count))


def table(hashes: Sequence[int]) -> Table:
    """Return the rows of a fingerprint; none for a video whose fingerprint is unknown."""
    return fingerprint(hashes).rows


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
    """Return (top, bottom, left, right) of what lies inside bars of one colour."""
    turned = pictures.transpose(0, 2, 1)
    height, width = pictures.shape[1:]
    return _bar(pictures), height - _bar(pictures[:, ::-1]), _bar(turned), width - _bar(turned[:, ::-1])


def _bar(pictures: Pictures) -> int:
    """Return how many lines from the top belong to a bar."""
    most = int(_MAX_BAR * pictures.shape[1])
    lines = pictures[:, : most + 1]
    colour = np.median(lines, axis=2)
    low, high = np.percentile(colour, (5, 95), axis=0)
    marked = np.percentile((np.abs(lines - colour[..., None]) > _BAR_CHANGE).mean(axis=2), 90, axis=0)
    bar = (marked < _BAR_MARKED) & (high - low < _BAR_CHANGE)
    count = int(np.argmin(np.append(bar[:most], False)))
    if not count:
        return 0
    beyond = np.abs(lines[:, count] - colour[:, :count].mean(axis=1)[:, None]) > _BAR_STEP
    return count if np.median(beyond.mean(axis=1)) > _BAR_EDGE else 0


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


def _evened(views: Pictures) -> Pictures:
    """Return the views with local brightness and contrast evened out; the same shape."""
    even = views - _BLUR @ views @ _BLUR.T
    even /= np.sqrt(_BLUR @ (even * even) @ _BLUR.T + _SOFTEN**2)
    return even.astype(np.float32, copy=False)


def _picture_hashes(views: Pictures, even: Pictures) -> NDArray[np.uint64]:
    """Return the hash of each view; shape (pictures, views)."""
    count, kinds = views.shape[:2]
    cells = _cells(even, 8)
    # The first column is compared with the last, so that there are 64 bits.
    hashes = _packed((cells > np.roll(cells, 1, axis=-1)).reshape(count, kinds, 64))
    hashes[views.std(axis=(2, 3)) < _FLAT] = 0
    return hashes


def _details(even: Pictures) -> details.Details:
    """Return the whole picture and its middle 80 % in detail; shape (pictures, details.VIEWS, cells)."""
    cells = _cells(even[:, :: len(VIEWS) - 1], details.CELLS)
    return np.clip(np.rint(cells * details.SCALE), -127, 127).astype(np.int8).reshape(*cells.shape[:2], -1)


def _cells(even: Pictures, side: int) -> Pictures:
    """Return the means of side x side equal cells of each view."""
    count, kinds = even.shape[:2]
    means: Pictures = even.reshape(count, kinds, side, _CELLS // side, side, _CELLS // side).mean(axis=(3, 5))
    return means


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
