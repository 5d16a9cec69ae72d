"""Mean average precision of temporal localization, by the rules of ActivityNet and of THUMOS14's own toolkit.

ActivityNet: detections choose segments (`matching.taken_by_score`); the precision at each recall is the highest at this
recall or above; average precision is the area below it. The papers since 2019 judge THUMOS14 by these rules as well,
at tIoU .3 to .7. THUMOS14's toolkit (2015): segments choose detections (`matching.taken_by_truth`); a detection that
finds nothing and overlaps an ambiguous stretch is left out; average precision is the mean precision at the hits.

In both a category without a detection has 0, and mAP is the mean over the categories that have a segment.

Matching looks at one video at a time, so a resample of the videos changes no match: the matches are made once, and the
measure is asked for its value under many weightings of the videos (see `evaluation.measures`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from slac_tasks.evaluation.measures import Bools, Floats, Ints
from slac_tasks.localization.matching import by_score, pairs, taken_by_score, taken_by_truth
from slac_tasks.localization.segments import Benchmark, Detections, Segments, part

_S = TypeVar("_S", bound=Segments)
_CELLS = 10_000_000
"""Weights of detections that are held at once: 80 MB."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How detections are judged."""

    name: str
    help: str
    thresholds: tuple[float, ...]
    """Of tIoU, unless others are asked for."""
    taken: Callable[[Detections, Segments, Floats], Ints]
    """Which segment each detection finds, -1: none; shape (thresholds, detections)."""
    interpolated: bool
    """Whether the precision at a recall is the highest at this recall or above."""
    excuses: bool
    """Whether a false detection that overlaps an ambiguous stretch is left out."""


RULES: Mapping[str, Rules] = {
    each.name: each
    for each in (
        Rules(
            name="activitynet", help="ActivityNet and HACS, tIoU .5:.05:.95", taken=taken_by_score,
            thresholds=tuple(np.linspace(0.5, 0.95, 10).tolist()), interpolated=True, excuses=False,
        ),
        Rules(
            name="thumos14", help="THUMOS14's toolkit of 2015, tIoU .3:.1:.7", taken=taken_by_truth,
            thresholds=tuple(np.linspace(0.3, 0.7, 5).tolist()), interpolated=False, excuses=True,
        ),
    )
}  # fmt: skip
"""By name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Matched:
    """Detections with what each finds; a measure of localization, as a function of the videos' weights."""

    benchmark: Benchmark
    found: Detections
    rules: Rules
    thresholds: Floats
    taken: Ints
    """The segment that each finds, -1: none; shape (thresholds, detections)."""
    left_out: Bools
    """Which count neither as right nor as wrong, shape (thresholds, detections)."""

    @property
    def present(self) -> Ints:
        """The categories with a segment: the mean is over them."""
        return np.unique(self.benchmark.truth.category)

    def by_category(self, weights: Floats) -> Floats:
        """Return the average precision of each category; NaN where it has no segment.

        Args:
            weights: how often each video counts, shape (draws, videos).

        Returns:
            Shape (draws, categories, thresholds).

        """
        truth, found = self.benchmark.truth, self.found
        result = np.full((len(weights), len(self.benchmark.categories), len(self.thresholds)), np.nan)
        order = by_score(found)
        ranked = order[np.argsort(found.category[order], kind="stable")]
        ends = np.searchsorted(found.category[ranked], np.arange(len(self.benchmark.categories) + 1))
        for category in self.present.tolist():
            own = ranked[ends[category] : ends[category + 1]]
            at_once = max(1, _CELLS // max(1, len(own)))
            of_truth = truth.video[truth.category == category]
            for begin in range(0, len(weights), at_once):
                some = slice(begin, begin + at_once)
                wanted = weights[some][:, of_truth].sum(axis=1)
                result[some, category] = self._of_category(weights[some][:, found.video[own]], own, wanted)
        return result

    def _of_category(self, weights: Floats, own: Ints, wanted: Floats) -> Floats:
        """Return the average precision at each threshold, shape (draws, thresholds).

        Args:
            weights: of the category's detections by falling score, shape (draws, detections).
            own: these detections.
            wanted: weight of all segments, shape (draws,).

        """
        result = np.empty((len(weights), len(self.thresholds)))
        so_far = np.cumsum(weights, axis=1)
        for level in range(len(self.thresholds)):
            hits = np.flatnonzero(self.taken[level, own] >= 0)
            excused = self.left_out[level, own]
            ranked = np.cumsum(weights * ~excused, axis=1) if excused.any() else so_far
            area = self._area(weights[:, hits], ranked[:, hits])
            result[:, level] = np.divide(area, wanted, out=np.full(len(weights), np.nan), where=wanted > 0)
        return result

    def _area(self, gained: Floats, ranked: Floats) -> Floats:
        """Return the precision at the hits, each by its weight, shape (draws,).

        Args:
            gained: weights of the hits, shape (draws, hits).
            ranked: weight of each hit and of all detections before it.

        """
        right = np.cumsum(gained, axis=1)
        precision = np.divide(right, ranked, out=np.zeros_like(right), where=ranked > 0)
        if self.rules.interpolated:
            # Below a hit the precision falls, so the highest one at a recall or above is that of a hit.
            precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        return np.asarray((gained * precision).sum(axis=1))

    def of_category(self, category: int) -> "Matched":
        """Return it for one category and the videos in which it is shown or found; they are numbered anew."""
        truth, found = self.benchmark.truth, self.found
        segments, own = np.flatnonzero(truth.category == category), np.flatnonzero(found.category == category)
        videos = np.union1d(truth.video[segments], found.video[own])
        place = np.full(len(truth) + 1, -1)
        place[segments] = np.arange(len(segments))
        one = replace(
            self.benchmark, videos=tuple(self.benchmark.videos[video] for video in videos),
            duration_sec=self.benchmark.duration_sec[videos], categories=(self.benchmark.categories[category],),
            truth=_renumbered(part(truth, segments), videos), ambiguous=part(truth, segments[:0]),
        )  # fmt: skip
        return replace(
            self, benchmark=one, found=_renumbered(part(found, own), videos), taken=place[self.taken[:, own]],
            left_out=self.left_out[:, own],
        )  # fmt: skip

    def average(self, weights: Floats) -> Floats:
        """Return the mean over thresholds and categories, shape (draws,): a `Measure` of the videos."""
        return np.asarray(self.by_threshold(weights).mean(axis=1))

    def by_threshold(self, weights: Floats) -> Floats:
        """Return mAP at each threshold, shape (draws, thresholds); categories without a segment do not count."""
        values = self.by_category(weights)[:, self.present]
        known = ~np.isnan(values)
        return np.asarray(
            np.divide(
                np.where(known, values, 0.0).sum(axis=1), known.sum(axis=1), out=np.full(values.shape[::2], np.nan),
                where=known.any(axis=1),
            )
        )  # fmt: skip

    @property
    def table(self) -> Floats:
        """Average precision of each category at each threshold, shape (categories, thresholds)."""
        (found,) = self.by_category(np.ones((1, len(self.benchmark.videos))))
        return np.asarray(found)


def _renumbered(columns: _S, videos: Ints) -> _S:
    return replace(columns, video=np.searchsorted(videos, columns.video), category=np.zeros_like(columns.category))


def matched(benchmark: Benchmark, found: Detections, rules: Rules, thresholds: Floats | None = None) -> Matched:
    """Return which detections are right.

    Args:
        benchmark: what is true.
        found: detections, numbered as the benchmark numbers videos and categories.
        rules: how they are judged.
        thresholds: of tIoU; None: those of the rules.

    """
    levels = np.asarray(rules.thresholds if thresholds is None else thresholds, dtype=np.float64)
    taken = rules.taken(found, benchmark.truth, levels)
    unsure = np.zeros(len(found), dtype=bool)
    if rules.excuses:
        unsure[pairs(found, benchmark.ambiguous, of_category=False).detection] = True
    return Matched(
        benchmark=benchmark, found=found, rules=rules, thresholds=levels, taken=taken, left_out=(taken < 0) & unsure
    )
