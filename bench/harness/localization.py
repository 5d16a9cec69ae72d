"""Localization as the published scripts judge it, written plainly: a loop over detections, thresholds and segments.

What `slac_tasks.localization` is held against; it shares no code with it. Rows are plain tuples: a segment is (video,
category, start, end), a detection also has a score. `script` is the loop of ActivityNet's script in its own way, over
pandas, for its time.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

Segment: TypeAlias = tuple[int, int, float, float]
Detection: TypeAlias = tuple[int, int, float, float, float]


def tiou(one: Sequence[float], other: Sequence[float]) -> float:
    """Return intersection over union of two stretches (start, end); 0 where both have no length."""
    shared = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    union = (other[1] - other[0]) + (one[1] - one[0]) - shared
    return shared / union if union > 0 else 0.0


def activitynet(truth: Sequence[Segment], found: Sequence[Detection], category: int, threshold: float) -> float:
    """Return the average precision of a category by ActivityNet's rules."""
    wanted = [each for each in truth if each[1] == category]
    ranked = sorted((each for each in found if each[1] == category), key=lambda each: -each[4])
    locked: set[int] = set()
    hits = []
    for video, _, *stretch, _ in ranked:
        candidates = [(tiou(stretch, each[2:]), place) for place, each in enumerate(wanted) if each[0] == video]
        hit = False
        for value, place in sorted(candidates, key=lambda each: (-each[0], each[1])):
            if value < threshold:
                break
            if place not in locked:
                locked.add(place)
                hit = True
                break
        hits.append(hit)
    return _interpolated(hits, len(wanted))


def _interpolated(hits: Sequence[bool], wanted: int) -> float:
    right, precision, recall = 0, [0.0], [0.0]
    for place, hit in enumerate(hits, start=1):
        right += hit
        precision.append(right / place)
        recall.append(right / wanted)
    precision.append(0.0)
    recall.append(1.0)
    for place in reversed(range(len(precision) - 1)):
        precision[place] = max(precision[place], precision[place + 1])
    return sum((recall[place] - recall[place - 1]) * precision[place] for place in range(1, len(recall)))


def thumos14(
    truth: Sequence[Segment],
    ambiguous: Sequence[Segment],
    found: Sequence[Detection],
    category: int,
    threshold: float,
) -> float:
    """Return the average precision of a category by the rules of THUMOS14's toolkit."""
    wanted = [each for each in truth if each[1] == category]
    ranked = sorted((each for each in found if each[1] == category), key=lambda each: -each[4])
    free = [True] * len(ranked)
    for video, _, *stretch in wanted:
        best, value = -1, threshold
        for place, each in enumerate(ranked):
            if free[place] and each[0] == video and (overlap := tiou(stretch, each[2:4])) > value:
                best, value = place, overlap
        if best >= 0:
            free[best] = False
    counted = right = 0
    area = 0.0
    for place, each in enumerate(ranked):
        unsure = any(other[0] == each[0] and tiou(each[2:4], other[2:]) > 0 for other in ambiguous)
        if free[place] and unsure:
            continue
        counted += 1
        if not free[place]:
            right += 1
            area += right / counted
    return area / len(wanted)


def average_recall(
    truth: Sequence[Segment], found: Sequence[Detection], thresholds: Sequence[float], number: float
) -> tuple[list[float], list[float]]:
    """Return (average number of proposals, average recall) at 100 points by ActivityNet's rules."""
    videos = sorted({each[0] for each in truth})
    ratio = number * len(videos) / len(found)
    values, total = [], 0
    for video in videos:
        own = [each for each in truth if each[0] == video]
        proposals = sorted((each for each in found if each[0] == video), key=lambda each: -each[4])
        proposals = proposals[: min(int(len(proposals) * ratio), len(proposals))]
        total += len(proposals)
        values.append([[tiou(each[2:4], one[2:4]) for each in proposals] for one in own])
    if not total:  # the published script divides by it
        return [share / 100 * number for share in range(1, 101)], [0.0] * 100
    steps = [share / 100 * (number * len(videos) / total) for share in range(1, 101)]
    recalls = []
    for step in steps:
        found_of: list[float] = []
        for threshold in thresholds:
            right = 0
            for of_video in values:
                for row in of_video:
                    right += any(value >= threshold for value in row[: min(int(len(row) * step), len(row))])
            found_of.append(right / len(truth))
        recalls.append(sum(found_of) / len(found_of))
    return [step * (total / len(videos)) for step in steps], recalls


def script(truth: pd.DataFrame, found: pd.DataFrame, thresholds: np.ndarray) -> np.ndarray:
    """Return the average precision of each category at each threshold, one category after the other.

    Args:
        truth: columns video, category, start, end.
        found: the same, and score.
        thresholds: of tIoU.

    Returns:
        Shape (categories, thresholds), categories in their order.

    """
    of_truth, of_found = truth.groupby("category"), found.groupby("category")
    rows = []
    for category in sorted(truth["category"].unique()):
        wanted = of_truth.get_group(category).reset_index(drop=True)
        own = of_found.get_group(category) if category in of_found.groups else found.iloc[:0]
        rows.append(_of_category(wanted, own.reset_index(drop=True), thresholds))
    return np.array(rows)


def _of_category(wanted: pd.DataFrame, found: pd.DataFrame, thresholds: np.ndarray) -> list[float]:
    locked = np.full((len(thresholds), len(wanted)), -1.0)
    order = np.argsort(-found["score"].to_numpy(), kind="stable")
    found = found.loc[order].reset_index(drop=True)
    right = np.zeros((len(thresholds), len(found)), dtype=bool)
    by_video = wanted.groupby("video")
    for place, (_, each) in enumerate(found.iterrows()):
        try:
            own = by_video.get_group(each["video"]).reset_index()
        except KeyError:
            continue
        values = _overlaps(each["start"], each["end"], own[["start", "end"]].to_numpy())
        preferred = np.argsort(-values, kind="stable")
        for level, threshold in enumerate(thresholds):
            for one in preferred:
                if values[one] < threshold:
                    break
                segment = int(own.loc[one]["index"])
                if locked[level, segment] >= 0:
                    continue
                right[level, place] = True
                locked[level, segment] = place
                break
    return [_interpolated(hits.tolist(), len(wanted)) for hits in right]


def _overlaps(start: float, end: float, others: np.ndarray) -> np.ndarray:
    """Return the tIoU of one stretch with each of others, shape (others, 2)."""
    shared = (np.minimum(end, others[:, 1]) - np.maximum(start, others[:, 0])).clip(0)
    union = (others[:, 1] - others[:, 0]) + (end - start) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))
