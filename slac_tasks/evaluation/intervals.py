"""Intervals that resample videos, never clips: the clips of one video resemble each other.

A measure is computed again on a thousand samples of the videos, each as many as there are, drawn with replacement. The
spread of these values says of how many independent clips the sample is worth (Kish 1965), and the interval is the
exact one of a share of so many (Korn and Graubard 1998): it stays within 0 and 1, and where all clips are right it
still has a width. Where the samples do not differ at all, the clips of a video count as one observation.

A difference of two networks is taken on the same clips of the same samples, so what makes a clip hard cancels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from slac_tasks.evaluation.measures import Floats, Ints, Measure, share
from slac_tasks.quality.estimates import LEVEL, exact

DRAWS = 1_000
"""Samples of the videos: the spread that they show is right to 2 %."""
_CELLS = 20_000_000
"""Weights that are held at once: 160 MB."""
_UPPER = 0.5 + LEVEL / 2


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measure and its 95 % interval."""

    value: float | None
    """None: the clips do not say, as where no clip shows the category."""
    low: float
    high: float
    clips: int
    videos: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """The clips that are judged: which of them belong together, and how many each stands for."""

    video: Ints
    """Number of each clip's video, from 0 without a gap, shape (clips,)."""
    weight: Floats
    """Inverse of each clip's chance to be drawn, up to a factor, shape (clips,)."""
    seed: int = 0

    @classmethod
    def of(
        cls, videos: Sequence[object] | NDArray[Any], weights: Sequence[float] | Floats | None = None, seed: int = 0
    ) -> "Sample":
        """Return the sample of clips with these videos; without weights each clip stands for as many.

        Raises:
            ValueError: a weight is not above 0.

        """
        _, number = np.unique(np.asarray(videos, dtype=str), return_inverse=True)
        weight = np.ones(len(number)) if weights is None else np.asarray(weights, dtype=np.float64)
        if not (weight > 0).all():
            raise ValueError(f"weights of clips: {weight.min()} is among them, want numbers above 0")
        return cls(video=number.astype(np.int64), weight=weight, seed=seed)

    def __len__(self) -> int:
        return len(self.video)

    @property
    def videos(self) -> int:
        """How many videos there are."""
        return int(self.video.max()) + 1 if len(self) else 0

    @property
    def independent(self) -> float:
        """How many clips it is worth if the clips of one video say all the same."""
        of_video = np.bincount(self.video, self.weight)
        return float(of_video.sum() ** 2 / (of_video**2).sum())

    def part(self, places: Ints) -> "Sample":
        """Return the sample of these clips alone."""
        return Sample.of(self.video[places], self.weight[places], self.seed)

    def resampled(self, draws: int = DRAWS) -> Iterator[Floats]:
        """Yield weights (some draws, clips) of samples of the videos, until there are `draws` of them."""
        times = _times(self.videos, draws, self.seed)
        at_once = max(1, _CELLS // len(self))
        for begin in range(0, draws, at_once):
            yield times[begin : begin + at_once, self.video] * self.weight

    def values(self, measure: Measure, draws: int = DRAWS) -> Floats:
        """Return a measure on every sample of the videos, shape (draws,)."""
        return np.concatenate([measure(weights) for weights in self.resampled(draws)])

    def value(self, measure: Measure) -> float | None:
        """Return a measure on the clips; None where they leave it undefined."""
        found = float(measure(self.weight[None])[0]) if len(self) else np.nan
        return None if np.isnan(found) else found


@lru_cache(maxsize=4)
def _times(videos: int, draws: int, seed: int) -> NDArray[np.uint16]:
    """Return how often each video comes up in each sample of as many videos, shape (draws, videos)."""
    chance = np.random.default_rng(seed)
    return chance.multinomial(videos, np.full(videos, 1 / videos), size=draws).astype(np.uint16)


def measured(measure: Measure, sample: Sample, draws: int = DRAWS, most: int | None = None) -> Measured:
    """Return a measure that lies between 0 and 1, with its interval; see `of_values`."""
    value = sample.value(measure)
    if value is None or sample.videos < 2:
        return of_values(value, np.empty(0), sample)
    return of_values(value, sample.values(measure, draws), sample, most)


def of_values(value: float | None, values: Floats, sample: Sample, most: int | None = None) -> Measured:
    """Return the interval of a measure that lies between 0 and 1 and was computed before.

    Args:
        value: on the sample.
        values: on samples of the videos, shape (draws,).
        sample: the clips.
        most: of how many independent items it can be worth at most; None: the clips. Where the items of the sample are
            whole videos, it is the number of what they show.

    """
    size = {"clips": len(sample), "videos": sample.videos}
    if value is None or sample.videos < 2:
        return Measured(value=value, low=0.0, high=1.0, **size)
    spread = _deviation(values, sample.videos)
    worth = sample.independent
    if spread > 0 and 0 < value < 1:
        worth = min(value * (1 - value) / spread**2, len(sample) if most is None else most)
    low, high = exact(value, worth * float(ndtri(_UPPER) / stdtrit(sample.videos - 1, _UPPER)) ** 2)
    return Measured(value=value, low=min(low, value), high=max(high, value), **size)


def difference(new: Measure, old: Measure, sample: Sample, draws: int = DRAWS) -> Measured:
    """Return by how much a measure between 0 and 1 is higher for the new one, -1 to 1, on the same clips.

    A difference that is the same on every sample of the videos may be chance where they are few: it is then as sure as
    a share of as many videos.
    """

    def gain(weights: Floats) -> Floats:
        return np.asarray(new(weights) - old(weights))

    value = sample.value(gain)
    size = {"clips": len(sample), "videos": sample.videos}
    if value is None or sample.videos < 2:
        return Measured(value=value, low=-1.0, high=1.0, **size)
    spread = _deviation(sample.values(gain, draws), sample.videos)
    if spread == 0:
        low, high = exact((value + 1) / 2, sample.independent)
        return Measured(value=value, low=min(value, 2 * low - 1), high=max(value, 2 * high - 1), **size)
    reach = float(stdtrit(sample.videos - 1, _UPPER)) * spread
    return Measured(value=value, low=max(-1.0, value - reach), high=min(1.0, value + reach), **size)


def repeated(values: Floats, sample: Sample, least: float = 0.0, draws: int = DRAWS) -> Measured:
    """Return the mean of numbers between `least` and 1 over repetitions and clips, with its interval.

    Other repetitions would have given another mean, and so would other videos: the two variances add up, each with the
    quantile of its own degrees of freedom (Banerjee 1960), which is a little wide and never too narrow.

    Args:
        values: of each repetition and clip, such as whether it was right, shape (repetitions, clips).
        sample: the clips.
        least: lowest possible value; -1 for differences.
        draws: samples of the videos.

    """
    weight = sample.weight / sample.weight.sum()
    by_repetition = values @ weight
    size = {"clips": len(sample), "videos": sample.videos}
    value = float(by_repetition.mean())
    if len(values) < 2 or sample.videos < 2:
        return Measured(value=value, low=least, high=1.0, **size)
    of_repetitions = float(by_repetition.var(ddof=1)) / len(values)
    of_videos = _deviation(sample.values(share(values.mean(axis=0)), draws), sample.videos) ** 2
    if of_repetitions + of_videos == 0:
        low, high = exact((value - least) / (1 - least), sample.independent)
        return Measured(value=value, low=least + (1 - least) * low, high=least + (1 - least) * high, **size)
    quantiles = stdtrit(np.array([len(values) - 1, sample.videos - 1]), _UPPER)
    reach = float(quantiles**2 @ np.array([of_repetitions, of_videos])) ** 0.5
    return Measured(value=value, low=max(least, value - reach), high=min(1.0, value + reach), **size)


def _deviation(values: Floats, videos: int) -> float:
    """Return the standard deviation of a measure over samples; one of few videos is too small by a known factor."""
    known = values[~np.isnan(values)]
    return float(np.std(known) * np.sqrt(videos / (videos - 1))) if len(known) > 1 else 0.0
