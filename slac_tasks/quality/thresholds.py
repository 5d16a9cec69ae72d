"""From which confidence on labels are good enough, whatever is looked at again: thresholds, and how alpha is spent.

The certificate of one kind may be false with a chance of `ALPHA`, over all looks. Of it, `CONTROL_ALPHA` is for labels
that differ from what people say, and `GOLD_ALPHA` for what people get wrong. No more is spent, since:

1. Thresholds, strict to lax, share what a way of labelling has, and each hands its share on to the next when it passes
   (fallback, Wiens 2003). So one whose labels are too wrong can pass first only on its own share and those of the good
   ones just before it; these shares are the same at every look and no part of them counts twice, so by Ville's
   inequality such a threshold ever passes with a chance of at most their sum.
2. Other labels are another question. Where the label or the confidence of a control clip is another one than before,
   the way of labelling is new, and the r-th one that is judged has 1 / (r (r + 1)) of alpha, which adds up to 1.
3. A look that could certify nothing, had no label been wrong, judges nothing and spends nothing: it depends on counts
   of clips alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from slac_tasks.quality.bounds import Sample
from slac_tasks.verification.ballots import Bools, Floats, Ints

THRESHOLDS = (0.995, 0.98, 0.95, 0.93, 0.9, 0.87, 0.8, 0.7, 0.0)
"""Confidences from which on labels may be certified, strict to lax."""
LEVEL = 0.95
"""Chance that a certificate is right at every look."""
ALPHA = 1 - LEVEL
CONTROL_ALPHA = ALPHA / 2
GOLD_ALPHA = ALPHA / 2

_SHARES = np.array([0.05, 0.15, 0.3, 0.0, 0.15, 0.0, 0.1, 0.0, 0.25])
"""Of alpha, one for each threshold. Most is where generated worlds have many labels and few faults; one with nothing
can pass after the one before it alone. The last takes all labels: of people's, all may be good enough."""
_ASCENDING = np.array(THRESHOLDS[::-1])
_MOST_CLIPS = 10_000_000
"""Nobody plans with more."""


def places(confidence: Floats) -> Ints:
    """Return the place in `THRESHOLDS` of the strictest one that each confidence reaches; it reaches all laxer ones."""
    return np.asarray(len(THRESHOLDS) - np.searchsorted(_ASCENDING, confidence, side="right"))


def spent(alpha: float, ordinal: int) -> float:
    """Return what the `ordinal`-th way of labelling, from 1 on, has of `alpha`."""
    return alpha / (ordinal * (ordinal + 1))


@dataclass(frozen=True, kw_only=True)
class Control:
    """The control clips of one category and kind, or of one kind: counts by threshold and weight."""

    sample: Sample
    """Shape (thresholds, strata); `wrong`: the label differs from what people say."""

    @classmethod
    def of(cls, confidence: Floats, wrong: Bools, weight: Floats, heaviest: float) -> "Control":
        """Count control clips, each array of shape (clips,).

        Args:
            confidence: of the label.
            wrong: whether the label differs from what people say.
            weight: inverse of the clip's chance to be in the control.
            heaviest: the largest weight that a clip may have.

        """
        weights, stratum = np.unique(weight, return_inverse=True)
        if not len(weights):
            weights, stratum = np.array([heaviest]), np.zeros(0, dtype=np.int64)
        shape = (len(THRESHOLDS), len(weights))
        cell = places(confidence) * shape[1] + stratum

        def counts(chosen: Bools) -> Floats:
            each = np.bincount(cell[chosen], minlength=shape[0] * shape[1]).reshape(shape)
            return np.cumsum(each, axis=0).astype(float)

        return cls(sample=Sample(weights=weights / heaviest, right=counts(~wrong), wrong=counts(wrong)))

    @cached_property
    def clips(self) -> Floats:
        """Clips from each threshold on, by weight, shape (thresholds, strata)."""
        return self.sample.right + self.sample.wrong

    @property
    def if_all_right(self) -> "Control":
        """The same clips, had nobody found a wrong label."""
        sample = Sample(weights=self.sample.weights, right=self.clips, wrong=np.zeros_like(self.clips))
        return Control(sample=sample)

    def with_more(self, count: int) -> "Control":
        """Return it with so many clips more, all right, of confidences and weights like those that there are."""
        whole = self.clips[-1].sum()
        more = np.floor(self.clips * count / whole) if whole else np.full_like(self.clips, float(count))
        return Control(
            sample=Sample(weights=self.sample.weights, right=self.sample.right + more, wrong=self.sample.wrong)
        )

    def walk(self, error: float, alpha: float) -> tuple[int | None, Floats]:
        """Return (the place of the laxest threshold whose labels differ in less than `error`, the share of each)."""
        alphas = alpha * _SHARES
        laxest = None
        doubts = -self.sample.log_capital(error)
        for place in range(len(THRESHOLDS)):
            if alphas[place] and doubts[place] <= math.log(alphas[place]):
                laxest = place
                alphas[place + 1 : place + 2] += alphas[place]
        return laxest, alphas

    def fewest_more(self, error: float, alpha: float) -> int | None:
        """Return the fewest clips more, all right, with which some threshold passes; None: too many."""
        return smallest(lambda count: self.with_more(count).passes(error, alpha))

    def bound(self, place: int, alpha: float) -> float | None:
        """Return the share of labels from a threshold on that differ, at most; None where no clip says anything."""
        sample = Sample(weights=self.sample.weights, right=self.sample.right[place], wrong=self.sample.wrong[place])
        return float(sample.bound(alpha)) if self.clips[place].any() else None

    def passes(self, error: float, alpha: float) -> bool:
        """Whether any threshold has labels that differ in less than `error`."""
        return self.walk(error, alpha)[0] is not None


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way of labelling, and which part of alpha it is judged with."""

    rules: int = 0
    """Ways that were judged so far, with this one if it was."""
    judged: bool = False
    """Whether this one was."""

    @property
    def alpha(self) -> float:
        """The chance that it may be certified, at any look, although too many labels differ."""
        return spent(CONTROL_ALPHA, self.rules if self.judged else self.rules + 1)

    def after(self, control: Control, error: float) -> "Way":
        """Return it after a look at a control: it is judged once less than `error` could have been shown."""
        if self.judged or not control.if_all_right.passes(error, self.alpha):
            return self
        return Way(rules=self.rules + 1, judged=True)

    @property
    def next(self) -> "Way":
        """The way after it: other labels, which were not looked at yet."""
        return Way(rules=self.rules)


def smallest(holds: Callable[[int], bool]) -> int | None:
    """Return the smallest number for which something holds that holds for all larger ones; None: too large a one."""
    if holds(0):
        return 0
    low, high = 0, 1
    while not holds(high):
        low, high = high, high * 2
        if high > _MOST_CLIPS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
