"""Why a network's detections are wrong and what it misses, after DETAD (Alwassel et al. 2018).

A false detection is, in this order (ours; DETAD decides by the one segment that overlaps most):

    double          a segment of its category reaches the threshold, and another detection has it
    wrong label     a segment of another category reaches the threshold
    localization    a segment of its category overlaps, from tIoU .1 to the threshold
    confusion       a segment of another category overlaps so
    background      nothing overlaps

Looked at are the surest detections of each category, G to 10 G of them, where G is the number of its segments. What a
kind costs is the average mAP that its removal would gain.

How well segments are found is said by length (in fifths of the benchmark's segments) and by coverage, which is their
share of the video's length. As segments of one kind may be rare, their average precision is normalised: each counts as
if all categories had the same number of segments of this kind.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from slac_tasks.evaluation.measures import Bools, Floats, Ints
from slac_tasks.localization.average_precision import Matched
from slac_tasks.localization.matching import by_score, pairs

HIT, DOUBLE, WRONG_LABEL, LOCALIZATION, CONFUSION, BACKGROUND = range(6)
KINDS = ("hit", "double", "wrong label", "localization", "confusion", "background")
LEAST = 0.1
"""Below this tIoU nothing overlaps."""
DEPTHS = tuple(range(1, 11))
"""How many detections of a category are looked at, in numbers of its segments."""
PARTS = 5
"""Kinds of lengths and of coverages."""

Kinds: TypeAlias = NDArray[np.int8]


def kinds(judged: Matched) -> Kinds:
    """Return the kind of each detection at each threshold, shape (thresholds, detections)."""
    truth, found = judged.benchmark.truth, judged.found
    known = pairs(found, truth, of_category=False)
    same = found.category[known.detection] == truth.category[known.segment]
    own, other = (_best(known.detection[each], known.tiou[each], len(found)) for each in (same, ~same))
    levels = judged.thresholds[:, None]
    cases = [
        judged.taken >= 0, own >= levels, other >= levels,
        np.broadcast_to(own >= LEAST, judged.taken.shape), np.broadcast_to(other >= LEAST, judged.taken.shape),
    ]  # fmt: skip
    return np.select(cases, [HIT, DOUBLE, WRONG_LABEL, LOCALIZATION, CONFUSION], BACKGROUND).astype(np.int8)


def _best(detection: Ints, tiou: Floats, count: int) -> Floats:
    best = np.zeros(count)
    np.maximum.at(best, detection, tiou)
    return best


@dataclass(frozen=True, kw_only=True)
class Depth:
    """The surest detections of each category."""

    depth: int
    """How many: so many times the category's segments."""
    shares: tuple[float, ...]
    """Of each kind, in the order of `KINDS`."""


def by_depth(judged: Matched, found: Kinds, level: int = 0) -> list[Depth]:
    """Return of which kinds the surest detections are, at one threshold; those that are left out do not count."""
    truth = judged.benchmark.truth
    order = by_score(judged.found)
    order = order[~judged.left_out[level, order]]
    category = judged.found.category[order]
    ranked = order[np.argsort(category, kind="stable")]
    of_category = judged.found.category[ranked]
    rank = np.arange(len(ranked)) - np.searchsorted(of_category, of_category)
    segments = np.bincount(truth.category, minlength=len(judged.benchmark.categories))[of_category]
    rows = []
    for depth in DEPTHS:
        counts = np.bincount(found[level, ranked[rank < depth * segments]], minlength=len(KINDS))
        rows.append(Depth(depth=depth, shares=tuple((counts / max(1, counts.sum())).tolist())))
    return rows


def costs(judged: Matched, found: Kinds) -> dict[str, float]:
    """Return the average mAP that would be gained without the false detections of each kind."""
    whole = np.ones((1, len(judged.benchmark.videos)))
    now = float(judged.average(whole)[0])
    without = {
        KINDS[kind]: replace(judged, left_out=judged.left_out | (found == kind))
        for kind in range(DOUBLE, len(KINDS))
    }  # fmt: skip
    return {name: float(each.average(whole)[0]) - now for name, each in without.items()}


@dataclass(frozen=True, kw_only=True)
class Part:
    """Segments that are alike."""

    what: str
    """`length`, `coverage` or `all`."""
    low: float
    """Seconds, or a share of the video."""
    high: float
    segments: int
    missed: float | None
    """Share of them that nothing finds, as the mean over thresholds; None: there is none."""
    precision: float | None
    """Normalised average precision, as the mean over thresholds and the categories with such a segment."""


def sensitivity(judged: Matched) -> list[Part]:
    """Return how well the segments are found, all, by length and by coverage; coverage where it is known."""
    truth = judged.benchmark.truth
    length = truth.length_sec
    coverage = length / judged.benchmark.duration_sec[truth.video]
    edges = np.quantile(length, np.linspace(0, 1, PARTS + 1)) if len(length) else np.zeros(PARTS + 1)
    parts = [_part(judged, "all", 0.0, float(length.max(initial=0.0)), np.ones(len(truth), dtype=bool))]
    parts += _between(judged, "length", length, edges.tolist())
    known = ~np.isnan(coverage)
    if known.any():
        parts += _between(judged, "coverage", coverage.clip(max=1.0), np.linspace(0, 1, PARTS + 1).tolist())
    return parts


def _between(judged: Matched, what: str, values: Floats, edges: Sequence[float]) -> Iterator[Part]:
    for place, (low, high) in enumerate(pairwise(edges)):
        above = values >= low if place == 0 else values > low
        yield _part(judged, what, low, high, above & (values <= high))


def _part(judged: Matched, what: str, low: float, high: float, members: Bools) -> Part:
    count = int(members.sum())
    if not count:
        return Part(what=what, low=low, high=high, segments=0, missed=None, precision=None)
    found = np.zeros((len(judged.thresholds), len(members)), dtype=bool)
    level, detection = np.nonzero(judged.taken >= 0)
    found[level, judged.taken[level, detection]] = True
    return Part(
        what=what, low=low, high=high, segments=count, missed=float(1 - found[:, members].mean()),
        precision=_normalised(judged, members),
    )  # fmt: skip


def _normalised(judged: Matched, members: Bools) -> float:
    """Return the normalised average precision of some segments; detections that find others are left out."""
    truth, order = judged.benchmark.truth, by_score(judged.found)
    normal = len(truth) / len(judged.present)
    right = (judged.taken >= 0) & members[judged.taken]
    wrong = (judged.taken < 0) & ~judged.left_out
    values = []
    for category in np.unique(truth.category[members]).tolist():
        own = order[judged.found.category[order] == category]
        count = int((truth.category[members] == category).sum())
        for level in range(len(judged.thresholds)):
            recall = np.cumsum(right[level, own]) / count
            false = np.cumsum(wrong[level, own])
            hits = np.flatnonzero(right[level, own])
            precision = recall[hits] * normal / (recall[hits] * normal + false[hits])
            if judged.rules.interpolated:
                precision = np.maximum.accumulate(precision[::-1])[::-1]
            values.append(precision.sum() / count)
    return float(np.mean(values))
