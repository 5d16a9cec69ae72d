"""Sets of clips inside the segments that a localizer finds and the committee does not agree on (ours).

A localizer says that an action goes on from here to there; the members say of each clip whether it shows it. Where the
localizer is sure and the members differ, one of them is wrong about the whole stretch, and one answer says which. So
the clips of such a segment are asked as one set: a person looks at them side by side and answers with one key.

The cost is that of a sort of the segments and of a sum over the clips. Per round it is that of one category and one
window, whatever 40 million clips the platform holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from slac_tasks.mining.measures import Bools, Floats, Ints, disagreement
from slac_tasks.mining.pool import Pool, place
from slac_tasks.model import CLIP_SEC

SURE = 0.3
"""Score from which on a segment counts: what `slac localize` prints."""
_STEP_MS = round(CLIP_SEC * 500)
"""Clips of a set start so far apart at least: they overlap by half, so an end of the action shows."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretches:
    """Segments that a localizer found in videos of one category; all columns have shape (segments,)."""

    video_id: Sequence[str]
    start_sec: Floats
    end_sec: Floats
    score: Floats
    """0 to 1."""
    set_least: int
    """Clips of a set at least: a segment of fewer is not asked."""
    set_most: int
    """Clips of a set at most: what a screen holds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipSet:
    """Clips that are asked together."""

    rows: Ints
    """Rows of the pool, by start."""
    value: float
    """Score of the segment times the disagreement about it."""


def worth(pool: Pool, found: Stretches) -> Floats:
    """Return score times disagreement of each segment, shape (segments,); 0 where it holds too few clips for a set.

    The members' opinion of a segment is the mean of their scores over its clips, and the disagreement is that of these
    means, in bits: members that take turns in being wrong about single clips agree on the segment.
    """
    first, last = _clips_of(pool, found)
    count = last - first
    summed = np.concatenate([np.zeros((1, pool.scores.shape[1])), np.cumsum(pool.scores, axis=0)])
    mean = (summed[last] - summed[first]) / np.maximum(count, 1)[:, None]
    counts = (count >= found.set_least) & (found.score >= SURE)
    return np.asarray(np.where(counts, found.score * disagreement(mean), 0.0))


def available(pool: Pool, found: Stretches) -> int:
    """Return how many clips the sets of these segments could hold."""
    first, last = _clips_of(pool, found)
    return int(np.minimum(last - first, found.set_most)[worth(pool, found) > 0].sum())


def clip_sets(pool: Pool, found: Stretches, free: Bools, most: int) -> Iterator[ClipSet]:
    """Yield sets of clips, the one worth most first, of so many clips together at most; no clip twice.

    Args:
        pool: the clips.
        found: segments of its videos.
        free: which clips may be asked, shape (clips,).
        most: clips of all sets together.

    """
    value = worth(pool, found)
    first, last = _clips_of(pool, found)
    free = free.copy()
    for number in np.argsort(-value, kind="stable").tolist():
        if value[number] <= 0:
            return
        inside = np.arange(first[number], last[number])
        rows = _spread(_apart(inside[free[inside]], pool.start_ms), min(most, found.set_most))
        if len(rows) >= found.set_least:
            # Another segment may overlap this one: its clips are asked once.
            free[inside] = False
            most -= len(rows)
            yield ClipSet(rows=rows, value=float(value[number]))


def _clips_of(pool: Pool, found: Stretches) -> tuple[Ints, Ints]:
    """Return (first, last + 1) row of the clips whose middle lies in each segment; none of an unknown video's."""
    code = {name: number for number, name in enumerate(pool.videos)}
    video = np.array([code.get(name, -1) for name in found.video_id], dtype=np.int64)
    half_ms = CLIP_SEC * 500
    start, end = (np.ceil(one * 1000 - half_ms - 1e-6).astype(np.int64) for one in (found.start_sec, found.end_sec))
    places = place(pool.video, pool.start_ms)
    # A moment before a video begins lies behind all clips of the video before, and an unknown video before all others.
    first, last = (np.searchsorted(places, place(video, moment)) for moment in (start, end))
    return first, np.maximum(last, first)


def _apart(rows: Ints, start_ms: Ints) -> Ints:
    """Return the first row, and each one after it that starts far enough from the one before."""
    kept: list[int] = []
    for row in rows.tolist():
        if not kept or start_ms[row] - start_ms[kept[-1]] >= _STEP_MS:
            kept.append(row)
    return np.array(kept, dtype=np.int64)


def _spread(rows: Ints, most: int) -> Ints:
    """Return so many of the rows at most, evenly over all of them."""
    if len(rows) <= most:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)])
