"""Which detection finds which true segment, by the rules of ActivityNet and of THUMOS14's own toolkit, without a loop.

Both rules are greedy. In ActivityNet's a detection chooses: by falling score, each takes the free segment of its video
and category with the highest tIoU, if that reaches the threshold. In THUMOS14's toolkit a segment chooses: each, in the
order of the list, takes the free detection with the highest tIoU above the threshold. So there are those who choose, in
an order, and those who are chosen. That greedy choice is the one stable matching of these preferences, which deferred
acceptance (Gale and Shapley 1962) finds too: all choose at once, each chosen one holds on to the first in the order,
the others go on to their next. Its rounds run over whole columns, all videos, categories and thresholds at a time.

Ties hold the order of the files: of equal scores the earlier detection comes first, of equal tIoU the earlier one is
taken. The published scripts leave ties to the sorting of their libraries.
"""

from dataclasses import dataclass

import numpy as np

from slac_tasks.evaluation.measures import Bools, Floats, Ints
from slac_tasks.localization.segments import Detections, Segments, part


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Detections and segments of one video that overlap; shape (pairs,), by detection, then by segment."""

    detection: Ints
    segment: Ints
    tiou: Floats
    """Above 0."""


def pairs(found: Segments, truth: Segments, *, of_category: bool = True) -> Pairs:
    """Return what overlaps.

    Args:
        found: the detections.
        truth: the segments.
        of_category: whether only those of the same category are compared.

    """
    categories = 1 + int(max(found.category.max(initial=0), truth.category.max(initial=0))) if of_category else 1
    keys = [each.video * categories + (each.category if of_category else 0) for each in (found, truth)]
    order = np.argsort(keys[1], kind="stable")
    begin, end = (np.searchsorted(keys[1][order], keys[0], side=side) for side in ("left", "right"))
    counts = end - begin
    detection = np.repeat(np.arange(len(found)), counts)
    within = np.arange(len(detection)) - np.repeat(np.cumsum(counts) - counts, counts)
    segment = order[np.repeat(begin, counts) + within]
    values = tiou(part(found, detection), part(truth, segment))
    overlap = values > 0
    return Pairs(detection=detection[overlap], segment=segment[overlap], tiou=values[overlap])


def tiou(one: Segments, other: Segments) -> Floats:
    """Return intersection over union, row by row, 0 to 1; what has no length overlaps nothing."""
    shared = (np.minimum(one.end_sec, other.end_sec) - np.maximum(one.start_sec, other.start_sec)).clip(0)
    union = other.length_sec + one.length_sec - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def by_score(found: Detections) -> Ints:
    """Return the places of the detections by falling score; of equal ones the earlier comes first."""
    return np.argsort(-found.score, kind="stable")


def rank_of(order: Ints) -> Ints:
    """Return the rank of each place in an order, from 0."""
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank


def taken_by_score(found: Detections, truth: Segments, thresholds: Floats) -> Ints:
    """Return which segment each detection finds by ActivityNet's rule, -1: none; shape (thresholds, detections)."""
    known = pairs(found, truth)
    return choices(
        known, rank_of(by_score(found)), len(truth), np.array([known.tiou >= each for each in thresholds], dtype=bool)
    )


def taken_by_truth(found: Detections, truth: Segments, thresholds: Floats) -> Ints:
    """Return which segment each detection finds by the rule of THUMOS14's toolkit; see `taken_by_score`."""
    known = pairs(found, truth)
    rank = rank_of(by_score(found))
    # The roles change: a segment chooses among detections, of which the surest stands first.
    by_segment = np.lexsort((rank[known.detection], known.segment))
    turned = Pairs(
        detection=known.segment[by_segment], segment=rank[known.detection[by_segment]], tiou=known.tiou[by_segment]
    )
    allowed = np.array([turned.tiou > each for each in thresholds], dtype=bool)
    taken = choices(turned, np.arange(len(truth)), len(found), allowed)
    result = np.full((len(thresholds), len(found)), -1)
    level, segment = np.nonzero(taken >= 0)
    result[level, by_score(found)[taken[level, segment]]] = segment
    return result


def choices(known: Pairs, rank: Ints, chosen: int, allowed: Bools) -> Ints:
    """Return whom each who chooses ends with, -1: nobody; shape (thresholds, those who choose).

    Args:
        known: who may choose whom; those who choose are its detections.
        rank: of each who chooses, the lowest first.
        chosen: how many there are to be chosen.
        allowed: which pairs reach each threshold, shape (thresholds, pairs). A threshold allows the highest tIoU.

    """
    levels, choosers = len(allowed), len(rank)
    preferred = np.lexsort((known.segment, -known.tiou, known.detection))
    target = known.segment[preferred]
    first = np.searchsorted(known.detection[preferred], np.arange(choosers))
    # Of each threshold a list is a beginning of the whole list, since the lists fall by tIoU.
    last = first + np.array([np.bincount(known.detection[each], minlength=choosers) for each in allowed]).reshape(
        levels, choosers
    )
    at = np.tile(first, (levels, 1))
    by_rank = np.argsort(rank)
    holder = np.full((levels, chosen), choosers)
    level, mover = np.nonzero(at < last)
    while len(mover):
        wanted = target[at[level, mover]]
        before = holder[level, wanted]
        np.minimum.at(holder, (level, wanted), rank[mover])
        after = holder[level, wanted]
        refused = after != rank[mover]
        displaced = np.unique(np.stack([level, before])[:, (before < choosers) & (after < before)], axis=1)
        level = np.concatenate([level[refused], displaced[0]])
        mover = np.concatenate([mover[refused], by_rank[displaced[1]]])
        at[level, mover] += 1
        again = at[level, mover] < last[level, mover]
        level, mover = level[again], mover[again]
    result = np.full((levels, choosers), -1)
    level, segment = np.nonzero(holder < choosers)
    result[level, by_rank[holder[level, segment]]] = segment
    return result
