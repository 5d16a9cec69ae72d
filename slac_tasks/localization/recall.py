"""Average recall against the average number of proposals (AR@AN), and the area under it, by ActivityNet's rules.

A proposal is a detection whose category does not count. Videos differ in length, so a number of proposals for each
video is a share of its own ones: at each of 100 points every video gives the same share of its surest proposals. A
segment is found where one of these reaches the threshold; a proposal may find several.
"""

from dataclasses import dataclass

import numpy as np

from slac_tasks.evaluation.measures import Floats, Ints
from slac_tasks.localization.matching import by_score, pairs
from slac_tasks.localization.segments import Benchmark, Detections

POINTS = 100
"""Of the curve."""
THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
"""Of tIoU, in ActivityNet's task of proposals."""
NUMBER = 100
"""Average number of proposals of a video up to which the curve goes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Recall:
    """The curve, as a function of the videos' weights."""

    numbers: Floats
    """Average number of proposals of a video at each point, shape (points,)."""
    found: Floats
    """How many segments of each video are found at each point, as the mean over thresholds; shape (videos, points)."""
    segments: Ints
    """Of each video, shape (videos,)."""

    def curve(self, weights: Floats) -> Floats:
        """Return the average recall at each point, shape (draws, points)."""
        total = weights @ self.segments
        return np.asarray(
            np.divide(weights @ self.found, total[:, None], out=np.full((len(weights), len(self.numbers)), np.nan),
                      where=total[:, None] > 0)
        )  # fmt: skip

    def area(self, weights: Floats) -> Floats:
        """Return the area under the curve over that of the full square, 0 to 1, shape (draws,)."""
        return np.asarray(np.trapezoid(self.curve(weights), self.numbers, axis=1) / self.numbers[-1])


def recall(
    benchmark: Benchmark, found: Detections, thresholds: tuple[float, ...] = THRESHOLDS, number: float = NUMBER
) -> Recall:
    """Return average recall against the number of proposals.

    Args:
        benchmark: what is true; videos without a segment do not count.
        found: the proposals.
        thresholds: of tIoU.
        number: the average number of proposals of a video at the last point.

    """
    truth, videos = benchmark.truth, len(benchmark.videos)
    segments = np.bincount(truth.video, minlength=videos)
    judged = segments > 0
    shares = np.arange(1, POINTS + 1) / POINTS
    wanted = number * float(judged.sum())
    proposals = np.bincount(found.video, minlength=videos)
    ratio = wanted / max(1, len(found))
    kept = np.where(judged, np.minimum((proposals * ratio).astype(np.int64), proposals), 0)
    total = int(kept.sum())
    if not total:
        return Recall(numbers=shares * number, found=np.zeros((videos, POINTS)), segments=segments)
    steps = shares * (wanted / total)
    counted = np.minimum((kept[:, None] * steps).astype(np.int64), kept[:, None])
    first = _first_hits(benchmark, found, np.asarray(thresholds))
    hit = (first[:, :, None] < counted[truth.video]).mean(axis=0)
    by_video = np.zeros((videos, POINTS))
    np.add.at(by_video, truth.video, hit)
    return Recall(numbers=steps * (total / judged.sum()), found=by_video, segments=segments)


def _first_hits(benchmark: Benchmark, found: Detections, thresholds: Floats) -> Ints:
    """Return the rank in its video of the surest proposal that reaches each segment, shape (thresholds, segments)."""
    truth = benchmark.truth
    order = by_score(found)
    ranked = order[np.argsort(found.video[order], kind="stable")]
    place = np.empty(len(found), dtype=np.int64)
    place[ranked] = np.arange(len(found)) - np.searchsorted(found.video[ranked], found.video[ranked])
    known = pairs(found, truth, of_category=False)
    first = np.full((len(thresholds), len(truth)), len(found))
    for level, threshold in enumerate(thresholds):
        reached = known.tiou >= threshold
        np.minimum.at(first[level], known.segment[reached], place[known.detection[reached]])
    return first
