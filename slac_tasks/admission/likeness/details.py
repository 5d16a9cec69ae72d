"""What short videos look like in detail, and how much of their motion another video leaves unexplained (ours).

The four numbers of a row are too few to decide a video of a few seconds: before one background, a person who bends down
agrees by chance with another who bends down. Short videos therefore also have a picture of 16 x 16 cells for each half
second, of which only the cells count where something moves. The background, the same in every video of a room, says
nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Details = NDArray[np.int8]
"""(half seconds, VIEWS, CELLS * CELLS): local brightness, in steps of 1/SCALE of the local contrast."""

Pictures = NDArray[np.float32]
"""(rows, VIEWS, CELLS * CELLS), or of one view (rows, CELLS * CELLS)."""
Places = NDArray[np.intp]
"""For each row of the shorter video, the row of the longer one, in parts, that lies over it."""

CELLS, VIEWS, SCALE = 16, 2, 32
MOST_ROWS = 40
"""Longer videos, of more than 20 s, have no details: 20 kB a video is the limit, and their motion says enough."""

NONE: Details = np.zeros((0, VIEWS, CELLS * CELLS), np.int8)

_PAIRS = ((0, 0), (0, 1), (1, 0))
"""Views that are compared: whole with whole, and the whole of one with the middle 80 % of the other."""
_RATES = (1.0, 0.95, 1.05, 1 / 1.1, 1.1)
_PARTS = 4
"""Places within a row at which one video may start over the other."""
_MOVES = 0.03
"""A cell moves when its squared deviation from its mean, over all rows, sums up to more than this."""
_FEWEST_CELLS, _LEAST_MOTION = 3, 0.3
"""Less motion than in so many cells, or with a smaller sum, is noise of the encoder."""
_LEAST_CONTRAST = 1.0
"""Flat pictures have less; their difference is noise."""
_MIN_OVERLAP = 0.5
"""Share of the shorter video that must lie over the longer one."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How two short videos differ at the place where they differ least."""

    pictures: float
    """Whole pictures that differ, as a share of their contrast: 0 for a copy, about 1 for pictures of another place."""
    unexplained: float | None
    """Pictures and motion that differ in the cells where either moves, as a share of that motion: 0 for a copy, 1 and
    more for another video; None where too little moves in both to judge."""
    motion: float
    """Motion alone that differs, as a share of it."""
    patterns: float
    """Independent movements in the video that has fewer: 1 for one step from a pose to another."""
    rows: int
    """Half seconds compared."""


def in_one_order(rows: NDArray[np.generic]) -> tuple[int, bytes]:
    """Sort two videos by length, and of equal ones always the same first: who is compared with whom changes nothing."""
    return len(rows), rows.tobytes()


def packed(details: Details) -> list[int]:
    """Return details as unsigned 64-bit numbers."""
    return [int(value) for value in details.reshape(-1).view(np.uint64)]


def unpacked(numbers: NDArray[np.uint64], rows: int) -> Details:
    """Return the details that `packed` wrote."""
    return numbers.view(np.int8).reshape(rows, VIEWS, CELLS * CELLS)


def difference(ours: Details, theirs: Details) -> Difference | None:
    """Return how two videos differ; None where either lacks details or the shorter lies nowhere over the longer."""
    short, long = (_pictures(each) for each in sorted((ours, theirs), key=in_one_order))
    if not len(short):
        return None
    fine = _finer(long)
    found = [
        _at(short[:, view], fine[:, other], place)
        for view, other in _PAIRS
        for place in _likely_places(short[:, view], fine[:, other])
    ]
    # Where the pictures fit best nothing may move: then motion at a worse place says nothing.
    nearest = min(found, key=lambda each: each.pictures, default=None)
    if nearest is None or nearest.unexplained is None:
        return nearest
    return min(found, key=lambda each: np.inf if each.unexplained is None else each.unexplained * each.motion)


def _pictures(each: Details) -> Pictures:
    """Return details as numbers of local contrast; the same shape."""
    pictures: Pictures = each.astype(np.float32) / np.float32(SCALE)
    return pictures


def _finer(pictures: Pictures) -> Pictures:
    """Return pictures at every quarter of a row: a cut seldom falls on a row."""
    below = pictures[:-1, None]
    part = (np.arange(_PARTS, dtype=np.float32) / np.float32(_PARTS))[None, :, None, None]
    between = below + part * (pictures[1:, None] - below)
    return np.concatenate([between.reshape(-1, *pictures.shape[1:]), pictures[-1:]])


def _likely_places(short: Pictures, fine: Pictures) -> Iterator[Places]:
    """Yield for each rate where the short video lies over the long one with the least difference between pictures."""
    apart = (short * short).sum(axis=1)[:, None] + (fine * fine).sum(axis=1)[None, :] - 2 * short @ fine.T
    rows = np.arange(len(short))
    offsets = np.arange(-_PARTS * len(short) // 2, len(fine) - _PARTS * len(short) // 2 + _PARTS)
    for rate in _RATES:
        at = np.rint(_PARTS * rate * rows).astype(int)[None, :] + offsets[:, None]
        inside = (at >= 0) & (at < len(fine))
        # A row beyond the longer video differs as two pictures of the scene do: else what stands still fits best.
        sums = np.where(inside, apart[rows[None, :], np.clip(at, 0, len(fine) - 1)], apart.mean()).sum(axis=1)
        enough = inside.sum(axis=1) >= max(2, _MIN_OVERLAP * len(short))
        if enough.any():
            yield at[int(np.argmin(np.where(enough, sums, np.inf)))]


def _at(short: Pictures, fine: Pictures, place: Places) -> Difference:
    """Return how two videos differ at one place."""
    inside = (place >= 0) & (place < len(fine))
    ours, theirs = short[inside], fine[place[inside]]
    contrast = float((ours**2).sum() + (theirs**2).sum())
    our_motion, their_motion = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    ours_in, theirs_in = (our_motion**2).sum(axis=0), (their_motion**2).sum(axis=0)
    moving = np.maximum(ours_in, theirs_in) > _MOVES
    moves = float(ours_in[moving].sum() + theirs_in[moving].sum())
    judged = moving.sum() >= _FEWEST_CELLS and moves >= _LEAST_MOTION
    return Difference(
        pictures=float(((ours - theirs) ** 2).sum()) / max(contrast, _LEAST_CONTRAST),
        unexplained=float(((ours - theirs)[:, moving] ** 2).sum()) / moves if judged else None,
        motion=float(((our_motion - their_motion)[:, moving] ** 2).sum()) / moves if judged else 0.0,
        patterns=min(_patterns(our_motion[:, moving]), _patterns(their_motion[:, moving])) if judged else 0.0,
        rows=int(inside.sum()),
    )


def _patterns(motion: Pictures) -> float:
    """Return the effective number of independent movements: (sum of eigenvalues)^2 / sum of squared ones."""
    gram = motion @ motion.T
    return float(np.trace(gram) ** 2 / max(float((gram * gram).sum()), 1e-9))
