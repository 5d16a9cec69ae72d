"""Measures of recognition, as functions of the clips' weights.

A measure is prepared once from what was said and what is true, and then asked for its value under many weightings at
once: weights have shape (draws, clips), values have shape (draws,). The weights of a sample are the inverses of the
chances to be drawn; those of a resample count how often each video came up. So an interval costs no second pass over
the scores. A value that the weights leave undefined, such as a precision without positives, is NaN.

On equal weights every value is that of scikit-learn, ties included.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]

Measure: TypeAlias = Callable[[Floats], Floats]
"""Weights (draws, clips) to values (draws,)."""

BINS = 10
"""Equal parts of [0, 1] in which probabilities are compared with what happened."""


def top_k(scores: Floats, truth: Ints, k: int) -> Bools:
    """Return which clips have their class among the `k` highest scores.

    Args:
        scores: of every class, shape (clips, classes).
        truth: index of the right class, shape (clips,).
        k: how many guesses count; of equal scores the later class goes first, as in scikit-learn.

    """
    best = np.argsort(scores, axis=1, kind="stable")[:, ::-1][:, :k]
    return np.asarray((best == truth[:, None]).any(axis=1))


def share(holds: Bools | Floats) -> Measure:
    """Return the share of clips of which something holds, or the mean of numbers; `holds` has shape (clips,)."""
    values = np.asarray(holds, dtype=np.float64)

    def measure(weights: Floats) -> Floats:
        return _ratio(weights @ values, weights.sum(axis=1))

    return measure


def commoner(positive: Bools, weight: Floats) -> Bools:
    """Return on which clips it is right always to give the commoner answer; both have shape (clips,)."""
    return np.asarray(positive == ((weight @ positive) * 2 >= weight.sum()))


def mean_class(right: Bools, truth: Ints) -> Measure:
    """Return the mean over classes of the share of clips that are right; classes without a clip do not count."""
    classes = np.unique(truth)
    member = np.asarray(truth[:, None] == classes, dtype=np.float64)

    def measure(weights: Floats) -> Floats:
        return _mean_of_known(_ratio((weights * right) @ member, weights @ member))

    return measure


def average_precision(scores: Floats, positive: Bools) -> Measure:
    """Return the average precision of a ranking: the area under precision over recall, without interpolation.

    Args:
        scores: shape (clips,); equal ones are one step of the curve.
        positive: which clips show the category, shape (clips,).

    """
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True)) if len(scores) else np.empty(0, np.int64)
    shown = positive[order].astype(np.float64)

    def measure(weights: Floats) -> Floats:
        sorted_weights = weights[:, order]
        found = np.cumsum(sorted_weights * shown, axis=1)[:, ends]
        taken = np.cumsum(sorted_weights, axis=1)[:, ends]
        gained = np.diff(found, axis=1, prepend=0.0)
        precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
        total = found[:, -1] if len(ends) else np.zeros(len(weights))
        return _ratio((gained * precision).sum(axis=1), total)

    return measure


def mean_of(measures: Sequence[tuple[Measure, Ints]]) -> Measure:
    """Return the mean of measures, each of some of the clips; those that are undefined do not count.

    Args:
        measures: each with the places of its clips.

    """

    def measure(weights: Floats) -> Floats:
        values = [one(weights[:, places]) for one, places in measures]
        return _mean_of_known(np.stack(values, axis=1) if values else np.empty((len(weights), 0)))

    return measure


def calibration_error(probability: Floats, positive: Bools, bins: int = BINS) -> Measure:
    """Return the expected calibration error (Naeini et al. 2015): the mean distance of probability and share.

    It is never below 0, so that of few clips is too high even where every probability is right.

    Args:
        probability: of the action, 0 to 1, shape (clips,).
        positive: which clips show it, shape (clips,).
        bins: equal parts of [0, 1]; those without a clip do not count.

    """
    member = np.asarray(_bin(probability, bins)[:, None] == np.arange(bins), dtype=np.float64)
    distance = (positive - probability)[:, None] * member

    def measure(weights: Floats) -> Floats:
        return _ratio(np.abs(weights @ distance).sum(axis=1), weights.sum(axis=1))

    return measure


def brier(probability: Floats, positive: Bools) -> Measure:
    """Return the mean squared distance of probabilities and outcomes (Brier 1950); both have shape (clips,)."""
    return share((probability - positive) ** 2)


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """One part of [0, 1]: how probable the network found the action there, and how often it was there."""

    part: int
    """Which of the equal parts, from 0; it holds its upper end, and the first one holds 0 too."""
    places: Ints = field(repr=False, compare=False)
    """Its clips."""
    probability: float
    """Mean over the clips of the part."""
    positive: int
    """Clips that show the action."""

    @property
    def clips(self) -> int:
        """How many clips it holds."""
        return len(self.places)

    @property
    def share(self) -> float:
        """Share of the clips that show the action."""
        return self.positive / self.clips


def reliability(probability: Floats, positive: Bools, bins: int = BINS) -> list[Reliability]:
    """Return the parts that hold a clip, from 0 to 1; both arrays have shape (clips,)."""
    place = _bin(probability, bins)
    of_parts = {one: np.flatnonzero(place == one) for one in np.unique(place).tolist()}
    return [
        Reliability(part=one, places=at, probability=float(probability[at].mean()), positive=int(positive[at].sum()))
        for one, at in of_parts.items()
    ]


def confusion(guesses: Ints, truth: Ints, classes: int) -> Ints:
    """Return how many clips of each class were taken for each: row the truth, column the guess."""
    return np.bincount(truth * classes + guesses, minlength=classes**2).reshape(classes, classes)


def by_video(scores: Floats, videos: NDArray[np.int64]) -> Floats:
    """Return the mean of the scores of each video's clips, for video@1 over ten clips.

    Args:
        scores: of every class, shape (clips, classes).
        videos: number of each clip's video, from 0 without a gap, shape (clips,).

    Returns:
        Shape (videos, classes).

    """
    total = np.zeros((int(videos.max()) + 1 if len(videos) else 0, scores.shape[1]))
    np.add.at(total, videos, scores)
    return np.asarray(total / np.bincount(videos)[:, None])


def _bin(probability: Floats, bins: int) -> Ints:
    return np.searchsorted(np.linspace(0.0, 1.0, bins + 1)[1:-1], probability)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where whole is 0."""
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0))


def _mean_of_known(values: Floats) -> Floats:
    """Return the mean over the last axis of what is no NaN; NaN where all are."""
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))
