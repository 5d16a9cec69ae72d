"""How far two samples lie apart: the population stability index, beyond what chance adds where items come in videos.

The items of one video resemble each other, so by chance two windows of few videos differ far more than their counts of
clips say. How much is estimated from the videos themselves: for the index without any drift by the first-order
correction of Rao and Scott (1981), for an index with drift by linearization (Binder 1983).
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import chndtr, chndtrinc, stdtrit

from slac_tasks.quality.expectations.entries import Finding, Floats, Ints

_TAIL = 0.025


@dataclass(frozen=True, kw_only=True, eq=False)
class Histogram:
    """Items in bins, by video."""

    counts: Floats
    """Items of each bin, shape (bins,)."""
    of_video: Floats
    """Items of each video, shape (videos,)."""
    cells: tuple[Ints, Ints, Floats]
    """(Bin, video, items) of each pair of a bin and a video that has any; shape (pairs,) each."""

    @classmethod
    def of(cls, bins: Ints, videos: Ints, size: int) -> "Histogram":
        """Count items.

        Args:
            bins: of each item, shape (items,).
            videos: what tells apart the videos of the items, shape (items,).
            size: how many bins there are.

        """
        _, video = np.unique(videos, return_inverse=True)
        pairs, items = np.unique(video * size + bins, return_counts=True)
        return cls(
            counts=np.bincount(bins, minlength=size).astype(float), of_video=np.bincount(video).astype(float),
            cells=(pairs % size, pairs // size, items.astype(float)),
        )  # fmt: skip

    @property
    def videos(self) -> int:
        """How many there are."""
        return len(self.of_video)

    @property
    def smoothed(self) -> Floats:
        """Share of each bin, with half an item added to each: an empty one is no infinite distance."""
        return np.asarray((self.counts + 0.5) / (self.counts + 0.5).sum())

    @property
    def variance(self) -> Floats:
        """Variance of the share of each bin, between videos, shape (bins,)."""
        place, video, items = self.cells
        share, size = self.counts / self.counts.sum(), len(self.counts)
        squares = np.bincount(place, items**2, minlength=size)
        both = np.bincount(place, items * self.of_video[video], minlength=size)
        return np.asarray(
            self._between * np.maximum(squares - 2 * share * both + share**2 * (self.of_video**2).sum(), 0.0)
        )

    def variance_along(self, slopes: Floats) -> float:
        """Return the variance, between videos, of what grows so fast with the share of each bin, shape (bins,)."""
        place, video, items = self.cells
        mean = float(slopes @ self.counts / self.counts.sum())
        of_video = np.bincount(video, slopes[place] * items, minlength=self.videos) - mean * self.of_video
        return self._between * float((of_video**2).sum())

    @property
    def _between(self) -> float:
        return self.videos / (self.videos - 1) / float(self.counts.sum()) ** 2


def population_stability(before: Histogram, now: Histogram, *, subject: str = "", subjects: int = 1) -> Finding:
    """Return the population stability index of two samples, less what chance alone adds, with its interval.

    Two samples of one distribution differ by the sum over bins of (variance of both shares) / share in expectation,
    which is (bins - 1) (1 / n + 1 / m) where items are independent (Yurdakul 2018), and is taken for no less. That is
    subtracted. In units of it the index has a noncentral chi-square distribution, whose interval is inverted (Steiger
    and Fouladi 1997); where that of the linearized index is wider, it holds. Over simulated windows of 10 to 300 videos
    the lower end lies above the truth in 0 to 2 % of them, and the interval holds it in 89 % or more.

    Args:
        before: one sample.
        now: the other one, over the same bins. Where either is of one video or none, nothing is known.
        subject: whose it is.
        subjects: how many are judged beside each other.

    """
    count = int(now.counts.sum())
    if min(before.videos, now.videos) < 2:
        return Finding(value=None, count=count, subject=subject)
    both = before.counts + now.counts
    used = both > 0
    degrees = max(int(np.count_nonzero(used)) - 1, 1)
    first, second = before.smoothed, now.smoothed
    ratio = np.log(second / first)
    distance = float(((second - first) * ratio).sum())
    noise = float(((before.variance + now.variance)[used] * both.sum() / both[used]).sum())
    noise = max(noise, degrees * (1 / count + 1 / float(before.counts.sum())))
    value = max(0.0, distance - noise)
    deviation = sqrt(
        before.variance_along(np.where(used, 1 - second / first - ratio, 0.0))
        + now.variance_along(np.where(used, 1 - first / second + ratio, 0.0))
    )

    def interval(tail: float) -> tuple[float, float]:
        found, scale = distance * degrees / noise, noise / degrees
        # A lower end that even no drift at all would pass is 0.
        low, high = (
            scale * float(chndtrinc(found, degrees, chance)) if chndtr(found, degrees, 0) > chance else 0.0
            for chance in (1 - tail, tail)
        )
        half = float(stdtrit(min(before.videos, now.videos) - 1, 1 - tail)) * deviation
        return max(0.0, min(low, value - half)), max(high, value + half)

    low, high = interval(_TAIL)
    return Finding(
        value=value, low=low, high=high, surely=interval(_TAIL / subjects), count=count, subject=subject
    )  # fmt: skip
