"""What a network's detections are worth on a benchmark, with intervals that resample its videos.

Where some of a benchmark's videos are gone, the score is that of the others. Two intervals say how sure it is. `low` to
`high` holds what as many other videos of the same kind would give. A score is worth as many independent items at most
as there are segments.

The interval `of_whole` holds what the whole benchmark would have given, if its videos were lost by chance: the others
are a sample of a known, finite number of videos, so its half-widths are the root of the lost share of the first ones
(finite population correction; Cochran 1977). mAP of fewer videos is a little higher, as the interpolated precision of
few detections is: that is not corrected.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from slac_tasks.evaluation.intervals import Measured, Sample, measured, of_values
from slac_tasks.evaluation.measures import Bools, Floats
from slac_tasks.localization.average_precision import Matched
from slac_tasks.localization.recall import Recall

NUMBERS = (1, 5, 10, 50, 100)
"""Average numbers of proposals of a video at which average recall is given."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The mean over the categories."""

    average: Measured
    """Mean over the thresholds."""
    at: tuple[tuple[float, Measured], ...]
    """At each threshold of tIoU."""
    area: Measured
    """Area under average recall against the number of proposals, over that of the full square."""
    recalls: tuple[tuple[float, Measured], ...]
    """Average recall at some average numbers of proposals of a video."""


@dataclass(frozen=True, kw_only=True)
class OfCategory:
    """The average precision of one category, as the mean over the thresholds."""

    name: str
    segments: int
    detections: int
    precision: Measured
    """Its videos are those where the category is shown or found."""


def scores(judged: Matched, recalled: Recall, gone: Bools | None = None) -> Scores:
    """Return the scores with their intervals.

    Args:
        judged: the matched detections.
        recalled: the average recall of the same.
        gone: videos that are not there and do not count, shape (videos,).

    """
    videos = len(judged.benchmark.videos)
    there = np.flatnonzero(np.ones(videos, dtype=bool) if gone is None else ~gone)
    sample = Sample.of(there)

    points = [int(np.argmin(abs(recalled.numbers - number))) for number in NUMBERS]

    def values(weights: Floats) -> Floats:
        whole = np.zeros((len(weights), videos))
        whole[:, there] = weights
        return np.column_stack([judged.by_threshold(whole), recalled.area(whole), recalled.curve(whole)[:, points]])

    own = values(np.ones((1, len(there))))[0]
    drawn = np.concatenate([values(weights) for weights in sample.resampled()])
    thresholds = len(judged.thresholds)
    most = len(judged.benchmark.truth)
    found = [of_values(_known(value), column, sample, most) for value, column in zip(own, drawn.T, strict=True)]
    average = of_values(_known(own[:thresholds].mean()), drawn[:, :thresholds].mean(axis=1), sample, most)
    return Scores(
        average=average, at=tuple(zip(judged.thresholds.tolist(), found[:thresholds], strict=True)),
        area=found[thresholds],
        recalls=tuple(zip(recalled.numbers[points].tolist(), found[thresholds + 1 :], strict=True)),
    )  # fmt: skip


def of_categories(judged: Matched) -> Iterator[OfCategory]:
    """Yield each category that has a segment, in their order."""
    for category in judged.present.tolist():
        one = judged.of_category(category)
        yield OfCategory(
            name=judged.benchmark.categories[category], segments=len(one.benchmark.truth), detections=len(one.found),
            precision=measured(one.average, Sample.of(one.benchmark.videos), most=len(one.benchmark.truth)),
        )  # fmt: skip


def of_whole(found: Measured, gone: int, videos: int) -> Measured:
    """Return a score with the interval that holds what the whole benchmark would have given.

    Args:
        found: the score of the videos that are there.
        gone: videos that are not there.
        videos: all videos of the benchmark.

    """
    if found.value is None:
        return found
    root = (gone / videos) ** 0.5
    low, high = found.value - root * (found.value - found.low), found.value + root * (found.high - found.value)
    return replace(found, low=low, high=high)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
