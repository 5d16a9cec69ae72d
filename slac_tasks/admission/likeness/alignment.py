"""Whether two fingerprints show the same: their pictures and their motion agree along one line of time (ours).

One video is laid over the other at an offset and a rate of 0.9 to 1.1, so that cuts, trims and changed speed are
found. Pictures alone are not believed: two videos before one background share them. What moves must agree as well,
and the fewer rows there are and the more ways to lay them were tried, the better it must.

Two videos of one scene agree more often than two strangers do: `Alignment.chance` says how often they agree so well.
A row whose motion is the last row's again, as in a pose that is held, is no further observation.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slac_tasks.admission.likeness.details import in_one_order
from slac_tasks.admission.likeness.fingerprints import MOTION_BITS, ROWS_PER_SEC, VIEWS, Table

_CROPS = ((0, 0), (0, 1), (0, 2), (1, 0), (2, 0))
"""Views that are compared: whole with whole, and the whole of one with the middle of the other."""
_MAX_RATE = 0.11
"""One video runs up to this share faster or slower than the other."""
_MIN_ROWS = 2
"""Fewer rows that agree are chance; one is enough for a video that holds only one."""
_MIN_CONTENT = 0.25
"""A video of which less than this share has hashes is judged as though so much had."""
_FEW_ROWS, _MOTION_ROWS = 32, 64
"""Rows of the shorter video on which most pairs end, and on which motion is compared, at least."""
_MIN_MOTION = 0.72
"""Motion of two copies agrees in at least this share of its bits; chance is a half."""
_MOTION_DEVIATION = 0.15
"""Of one row's share of agreeing bits, between videos that have nothing to do with each other (measured)."""

_SCENE_MOTION, _SCENE_DEVIATION = 0.63, 0.14
"""The same at the best place of two stretches of one scene that share no moment: mean, and deviation of one observation
(595 pairs of stretches of 4 to 16 s of one real video each; neither changes with the number of observations)."""
_FEWEST_OBSERVATIONS = 4.0
"""With fewer, motion agrees by chance more often than such a deviation says (real clips of one gym)."""


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How one video lies over another."""

    shared: float
    """Share of the shorter video's rows whose picture the longer one shows at the same place."""
    alike: int
    """Half seconds of the shorter one whose picture the longer one shows at the same place."""
    motion: float
    """Share of motion bits that agree; 1 where nothing moves in either."""
    chance: float
    """How often two other videos of one scene agree as well; 1 where too little moves to say."""
    offset_sec: float
    """Where in the longer one the shorter one starts."""
    rate: float
    """Seconds of the longer one that pass in one of the shorter."""


def aligned(
    ours: Table, theirs: Table, *, max_distance: int, min_shared: float, good_enough: float = 0.0
) -> Alignment | None:
    """Return how two videos show the same, or None.

    Args:
        ours: a fingerprint; one without rows shows nothing that another does.
        theirs: another.
        max_distance: two pictures are alike when their hashes differ in at most this many of 64 bits.
        min_shared: at least this share of the shorter video's rows must be alike at one offset and rate.
        good_enough: the search ends where the chance is at most this; it finds the least where this is 0.

    """
    short, long = sorted((ours, theirs), key=in_one_order)
    if not len(short):
        return None
    tried = 0
    found: Alignment | None = None
    for view, other in _CROPS:
        content = short[:, view] != 0
        wanted = max(min_shared * max(int(content.sum()), _MIN_CONTENT * len(short)), min(_MIN_ROWS, len(short)))
        if not _hopeful(short[:, view], long[:, other], max_distance, wanted):
            continue
        rows, columns = _alike(short[:, view], long[:, other], max_distance)
        if len(np.unique(rows)) < wanted:
            continue
        motion = _motion(short, view), _motion(long, other)
        for rate in _rates(len(short)):
            offsets, counts = _offsets(rows, columns, rate, wanted)
            if not len(offsets):
                continue
            tried += len(offsets)
            agreed = _agreement(*motion, rate, offsets, min_shared)
            enough = agreed.share >= _enough(agreed.active, tried)
            chance = np.where(enough, _chance(agreed), np.inf)
            best = int(np.argmin(chance))
            if enough[best] and (found is None or chance[best] < found.chance):
                found = Alignment(
                    shared=float(counts[best] / max(1, content.sum())), alike=int(counts[best]),
                    motion=float(agreed.share[best]), chance=float(chance[best]),
                    offset_sec=float(offsets[best] / ROWS_PER_SEC), rate=rate,
                )  # fmt: skip
            if found is not None and found.chance <= good_enough:
                return found
    return found


def _hopeful(short: Table, long: Table, max_distance: int, wanted: float) -> bool:
    """Return whether a few rows of a long pair leave it open that enough are alike; most pairs end here."""
    step = max(1, len(short) // _FEW_ROWS)
    near = np.bitwise_count(short[::step, None] ^ long[None, :]) <= max_distance
    return bool(near.any(axis=1).sum() * step >= wanted / 2)


def _alike(short: Table, long: Table, max_distance: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the pairs (row of short, row of long) with alike pictures, a row's tolerance in time included."""
    alike = np.bitwise_count(short[:, None] ^ long[None, :]) <= max_distance
    alike &= (short != 0)[:, None] & (long != 0)[None, :]
    near = alike.copy()
    near[:, 1:] |= alike[:, :-1]
    near[:, :-1] |= alike[:, 1:]
    rows, columns = np.nonzero(near)
    return rows, columns


def _rates(rows: int) -> list[float]:
    """Return rates to try, 1 first: so many that over the whole video no line is missed by more than a row."""
    each_side = int(np.ceil(_MAX_RATE * rows))
    rates = 1 + np.linspace(-_MAX_RATE, _MAX_RATE, 2 * each_side + 1)
    return [float(rate) for rate in rates[np.argsort(np.abs(rates - 1), kind="stable")]]


def _offsets(
    rows: NDArray[np.intp], columns: NDArray[np.intp], rate: float, wanted: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the offsets at which enough rows are alike, and how many are."""
    offsets = columns - np.rint(rows * rate).astype(int)
    lowest = offsets.min()
    counts = np.bincount(offsets - lowest)
    (enough,) = np.nonzero(counts >= wanted)
    return enough + lowest, counts[enough]


def _motion(rows: Table, view: int) -> Table:
    shift = np.uint64(MOTION_BITS * (len(VIEWS) - 1 - view))
    return (rows[:, len(VIEWS)] >> shift) & np.uint64((1 << MOTION_BITS) - 1)


@dataclass(frozen=True, kw_only=True)
class _Agreement:
    """How the motion of two videos agrees, for each offset."""

    share: NDArray[np.float64]
    """Of motion bits that agree."""
    active: NDArray[np.intp]
    """Rows in which anything moves."""
    observations: NDArray[np.float64]
    """Of these, as many as are independent: a row with the motion of the row before adds none."""


def _agreement(short: Table, long: Table, rate: float, offsets: NDArray[np.intp], min_shared: float) -> _Agreement:
    """Return how the motion agrees at each offset.

    Where nothing moves it agrees. Where the longer video ends before enough of the shorter one's motion, it does not:
    two videos of one place share its idle hours.
    """
    rows = np.arange(0, len(short), max(1, len(short) // _MOTION_ROWS))
    at = np.rint(rows * rate).astype(int)[None, :] + offsets[:, None]
    inside = (at >= 0) & (at < len(long))
    ours, theirs = short[rows][None, :], long[np.clip(at, 0, len(long) - 1)]
    active = inside & ((ours != 0) | (theirs != 0))
    count = active.sum(axis=1)
    differ = (np.bitwise_count(ours ^ theirs) * active).sum(axis=1)
    share = 1 - differ / (MOTION_BITS * np.maximum(count, 1))
    share[count < min_shared * np.count_nonzero(short[rows])] = 0
    both = active[:, 1:] & active[:, :-1]
    observations = 1 + np.minimum((_turns(ours) * both).sum(axis=1), (_turns(theirs) * both).sum(axis=1))
    return _Agreement(share=share, active=count, observations=np.where(count > 0, observations, 0.0))


def _turns(motion: Table) -> NDArray[np.float64]:
    """Return how new each row's motion is after the last one's: 0 for the same, 1 where half of the bits turned."""
    turned: NDArray[np.float64] = np.bitwise_count(motion[:, 1:] ^ motion[:, :-1]) / (MOTION_BITS / 2)
    return np.minimum(turned, 1.0)


def _chance(agreed: _Agreement) -> NDArray[np.float64]:
    """Return how often the motion of two other videos of one scene agrees so well."""
    deviations = (agreed.share - _SCENE_MOTION) * np.sqrt(agreed.observations) / _SCENE_DEVIATION
    tail = np.array([0.5 * math.erfc(each / math.sqrt(2)) for each in deviations])
    return np.where(agreed.observations >= _FEWEST_OBSERVATIONS, tail, 1.0)


def _enough(active: NDArray[np.intp], tried: int) -> NDArray[np.float64]:
    """Return the share of motion that is beyond chance: the largest of so many tries, and a deviation more."""
    chance = 0.5 + _MOTION_DEVIATION * (1 + np.sqrt(2 * np.log(max(tried, 1)))) / np.sqrt(np.maximum(active, 1))
    return np.where(active > 0, np.clip(chance, _MIN_MOTION, 0.95), 0.5)
