"""Choosing clips that stand for the others: greedy coverage of a category's clips in the space of kept features.

MaxHerding (Bae et al. 2024, Generalized Coverage) takes the clip that raises most how near every clip of the pool is to
a clip that was asked: sum over n of max over asked x of k(n, x), with a Gaussian kernel. Uncertainty Herding (Bae et
al. 2025) weighs each clip n by how unsure the committee is of it. Both start from what was asked before.

The gain of a clip only falls while others are taken, so a heap of old gains finds the best one without computing them
all again (Minoux 1978). A large pool is represented by MOST of its clips, drawn by lot, and chosen from among MOST that
may be asked: 200,000 clips take a second (ours).
"""

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from slac_tasks.mining.measures import Floats, Ints
from slac_tasks.mining.pool import Pool
from slac_tasks.mining.settings import Mining
from slac_tasks.networks.features import in_own_unit

MOST = 4096
"""Clips that represent a pool, and clips that are candidates: a kernel of 64 MiB."""

_ROWS = 64
"""Rows of the kernel that are computed at once: 1 MiB."""

Space = NDArray[np.float32]
"""Unit vectors, (clips, numbers): near ones show the like."""


def space(members: Sequence[NDArray[np.float32]]) -> Space:
    """Return one space of several members' features, in which each member weighs the same.

    Args:
        members: features (clips, numbers) of each member, row for row of the same clips.

    """
    upto = np.cumsum([0, *(features.shape[1] for features in members)])
    joined = np.empty((len(members[0]), upto[-1]), dtype=np.float32)
    # One member after the other, in place: a pool of 200,000 clips is 200 MB here.
    for features, start, end in zip(members, upto, upto[1:], strict=False):
        joined[:, start:end] = in_own_unit(features)
    joined /= np.maximum(np.sqrt(np.einsum("ij,ij->i", joined, joined)), 1e-9)[:, None]
    return joined


def covering(
    pool: Pool,
    at: Space,
    weight: Floats,
    count: int,
    *,
    free: NDArray[np.bool_],
    given: Ints,
    taken: Ints,
    knobs: Mining,
) -> tuple[Ints, Floats]:
    """Choose clips that cover the pool.

    Args:
        pool: the clips.
        at: where each of them lies.
        weight: what covering each of them is worth, not negative.
        count: how many clips are wanted.
        free: which may be chosen.
        given: by video, how many of its clips the round has already.
        taken: rows of clips that were asked before or are chosen already.
        knobs: the quota of a video and the gap.

    Returns:
        (rows in the order chosen, what each added to the share of the pool that is covered).

    """
    targets = _drawn(pool, np.arange(len(pool)))
    candidates = _drawn(pool, np.flatnonzero(free))
    if not len(candidates) or not count:
        return np.empty(0, dtype=np.int64), np.empty(0)
    width = _width(at[targets])
    worth = (weight[targets] / max(float(weight[targets].sum()), 1e-12)).astype(np.float32)
    covered = np.zeros(len(targets), dtype=np.float32)
    for start in range(0, len(taken), MOST):
        covered = np.maximum(covered, _kernel(at[targets], at[taken[start : start + MOST]], width).max(axis=1))
    kernel = _kernel(at[candidates], at[targets], width)
    gains = _gains(kernel, covered, worth)
    heap = [(-float(gains[place]), float(pool.draw[row]), place) for place, row in enumerate(candidates)]
    heapq.heapify(heap)
    left = knobs.clips_per_video - given
    starts: dict[int, list[int]] = {}
    chosen: list[int] = []
    values: list[float] = []
    while heap and len(chosen) < count:
        _, lot, place = heapq.heappop(heap)
        row = int(candidates[place])
        video, start_ms = int(pool.video[row]), int(pool.start_ms[row])
        gap_ms = max(round(knobs.min_gap_sec * 1000), 1)
        if left[video] <= 0 or any(abs(start_ms - other) < gap_ms for other in starts.get(video, ())):
            continue
        gain = float(np.maximum(kernel[place] - covered, 0) @ worth)
        if heap and -gain > heap[0][0]:
            heapq.heappush(heap, (-gain, lot, place))
            continue
        chosen.append(row)
        values.append(gain)
        covered = np.maximum(covered, kernel[place])
        left[video] -= 1
        starts.setdefault(video, []).append(start_ms)
    return np.array(chosen, dtype=np.int64), np.array(values)


def _drawn(pool: Pool, rows: Ints) -> Ints:
    """Return these rows, or MOST of them drawn by the pool's lot."""
    if len(rows) <= MOST:
        return rows
    return np.sort(rows[np.argpartition(pool.draw[rows], MOST)[:MOST]])


def _width(points: Space) -> float:
    """Return the kernel's width: a quarter of the median squared distance between clips (ours)."""
    few = points[:: max(1, len(points) // 512)]
    apart = 2 - 2 * (few @ few.T)
    return max(float(np.median(apart)) / 4, 1e-6)


def _gains(kernel: Space, covered: Space, worth: Space) -> Space:
    """Return what each candidate would add, shape (candidates,); a few rows at once stay in the processor's cache."""
    found = np.empty(len(kernel), dtype=np.float32)
    for start in range(0, len(kernel), _ROWS):
        more = kernel[start : start + _ROWS] - covered
        found[start : start + _ROWS] = np.maximum(more, 0, out=more) @ worth
    return found


def _kernel(points: Space, others: Space, width: float) -> Space:
    """Return the Gaussian kernel, (points, others)."""
    found = np.asarray(points @ others.T, dtype=np.float32)
    for start in range(0, len(found), _ROWS):
        part = found[start : start + _ROWS]
        part -= 1
        np.minimum(part, 0, out=part)
        part *= np.float32(2 / width)
        np.exp(part, out=part)
    return found
