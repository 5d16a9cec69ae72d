"""Shares with 95 % intervals: of clips of which several show one video, and of clips that were drawn by lot.

One sample: the exact interval (Clopper and Pearson 1934). The clips of one video resemble each other, nobody knows how
much, so together they count as one observation at worst: the interval is that of the effective number of videos
(Kish 1965, with the largest possible correlation). So it holds however alike they are (ours).

Several strata, each drawn with another chance: the estimate weighs each by the labels that it stands for, and the
intervals are put together by MOVER (Zou and Donner 2008): half-widths add up as squares. A stratum without a clip may
hold anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

LEVEL = 0.95
"""Chance that an interval holds the truth, at one look."""
_TAIL = (1 - LEVEL) / 2


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A share, 0 to 1, and its interval."""

    value: float | None
    """None: there is no clip."""
    low: float = 0.0
    high: float = 1.0
    count: int = 0
    """Clips that it rests on."""


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """Clips that were drawn by lot from some of the labels."""

    labels: float
    """How many labels it stands for, more than 0."""
    rate: float = 1.0
    """Chance of such a label's clip to be drawn."""
    clips: float = 0
    right: float = 0
    open: float = 0
    """Clips on which people are still to be asked on: wrong at worst, right at best."""
    size: float = 0.0
    """Effective number of clips, `clips` at most."""

    @property
    def value(self) -> float:
        """Share of the decided clips that are right; there must be one."""
        return self.right / (self.clips - self.open)

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of the share; anything where there is no clip."""
        if not self.clips:
            return 0.0, 1.0
        low, _ = exact(self.right / self.clips, self.size)
        _, high = exact((self.right + self.open) / self.clips, self.size)
        return low, high

    def if_right(self, more: float = 0.0) -> "Stratum":
        """Return it as if all of its clips were right, and so many more."""
        clips = self.clips + more
        size = (self.size / self.clips if self.clips else 1.0) * clips
        return replace(self, clips=clips, right=clips, open=0, size=size)


def effective(videos: Sequence[object] | NDArray[Any]) -> float:
    """Return as how many independent clips these count, by the video of each: those of one video count as one."""
    _, clips = np.unique(np.asarray(videos, dtype=str), return_counts=True)
    return float(clips.sum() ** 2 / (clips**2).sum()) if len(clips) else 0.0


def exact(share: float, size: float) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share of `size` independent items, which need not be a whole number."""
    part = share * size
    low = 0.0 if part <= 0 else float(betaincinv(part, size - part + 1, _TAIL))
    high = 1.0 if part >= size else float(betaincinv(part + 1, size - part, 1 - _TAIL))
    return low, high


def of_clips(holds: NDArray[np.bool_], videos: Sequence[object] | NDArray[Any]) -> Estimate:
    """Return the share of clips of which something holds; both arrays have shape (clips,)."""
    if not len(holds):
        return Estimate(value=None)
    share = float(np.mean(holds))
    low, high = exact(share, effective(videos))
    return Estimate(value=share, low=low, high=high, count=len(holds))


def of_strata(strata: Sequence[Stratum]) -> Estimate:
    """Return the share of right labels over strata."""
    known = [one for one in strata if one.clips > one.open]
    everything = sum(one.labels for one in strata)
    if not known:
        return Estimate(value=None, count=round(sum(one.clips for one in strata)))
    heard = sum(one.labels for one in known)
    weights = [one.labels / heard for one in known]
    value = sum(weight * one.value for weight, one in zip(weights, known, strict=True))
    ends = [one.interval for one in known]
    below = [weight * (one.value - low) for weight, one, (low, _) in zip(weights, known, ends, strict=True)]
    above = [weight * (high - one.value) for weight, one, (_, high) in zip(weights, known, ends, strict=True)]
    part = heard / everything
    return Estimate(
        value=value,
        low=part * max(0.0, value - float(np.linalg.norm(below))),
        high=1 - part + part * min(1.0, value + float(np.linalg.norm(above))),
        count=round(sum(one.clips for one in strata)),
    )


def best_case(strata: Sequence[Stratum], more: int = 0) -> float:
    """Return the lower end if every clip were right, and `more` clips were drawn by the lots of the strata."""
    drawn = [one.labels * one.rate for one in strata]
    if not sum(drawn):
        return 0.0
    return of_strata([one.if_right(more * lot / sum(drawn)) for one, lot in zip(strata, drawn, strict=True)]).low
