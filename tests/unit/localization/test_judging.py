"""Scores with intervals by video; those of a part of the videos hold what the whole benchmark would have given."""

from dataclasses import replace

import numpy as np
import pytest

from bench.evaluate import Size, drawn
from slac_tasks.evaluation.intervals import Measured, Sample, measured
from slac_tasks.localization.average_precision import RULES, Matched, matched
from slac_tasks.localization.judging import of_categories, of_whole, scores
from slac_tasks.localization.recall import recall
from slac_tasks.localization.segments import part

RULE = RULES["activitynet"]
SIZE = Size(predictions=600, videos=60, categories=3)
LEVELS = np.array([0.5, 0.75])


def world(seed: int) -> Matched:
    return matched(*drawn(SIZE, np.random.default_rng(seed)), RULE, LEVELS)


def test_scores_are_those_of_the_parts_and_their_intervals_those_of_the_measure() -> None:
    one = world(0)
    recalled = recall(one.benchmark, one.found)
    found = scores(one, recalled)
    ones = np.ones((1, SIZE.videos))
    assert found.average == measured(one.average, Sample.of(np.arange(SIZE.videos)), most=len(one.benchmark.truth))
    assert [each.value for _, each in found.at] == pytest.approx(one.by_threshold(ones)[0].tolist())
    assert found.area.value == pytest.approx(recalled.area(ones)[0])
    assert [number for number, _ in found.recalls] == pytest.approx([1, 5, 10, 50, 100])
    assert found.recalls[-1][1].value == pytest.approx(recalled.curve(ones)[0, -1])
    for each in (found.average, found.area, found.recalls[0][1]):
        assert each.low < each.value < each.high
        assert each.videos == SIZE.videos


def test_videos_that_are_gone_count_neither_in_the_score_nor_in_its_interval() -> None:
    one = world(1)
    gone = np.arange(SIZE.videos) % 3 == 0
    left, found = one.benchmark.surviving(gone), part(one.found, ~gone[one.found.video])
    some = scores(matched(left, found, RULE, LEVELS), recall(left, found), gone)
    # The same benchmark without these videos at all.
    number = np.cumsum(~gone) - 1
    short = replace(
        left, videos=tuple(np.array(left.videos)[~gone]), duration_sec=left.duration_sec[~gone],
        truth=replace(left.truth, video=number[left.truth.video]),
    )  # fmt: skip
    other = replace(found, video=number[found.video])
    wanted = scores(matched(short, other, RULE, LEVELS), recall(short, other))
    assert some.average.value == pytest.approx(wanted.average.value)
    assert some.average.videos == 40
    assert (some.average.low, some.average.high) == pytest.approx((wanted.average.low, wanted.average.high))


def test_a_category_is_judged_on_its_own_videos() -> None:
    one = world(2)
    rows = list(of_categories(one))
    assert [each.name for each in rows] == list(one.benchmark.categories)
    assert [each.precision.value for each in rows] == pytest.approx(one.table.mean(axis=1).tolist())
    assert sum(each.segments for each in rows) == len(one.benchmark.truth)
    assert sum(each.detections for each in rows) == len(one.found)
    for each in rows:
        assert each.precision.low <= each.precision.value <= each.precision.high
        assert 20 <= each.precision.videos <= SIZE.videos


def test_the_whole_is_as_sure_as_few_videos_are_gone() -> None:
    found = Measured(value=0.5, low=0.3, high=0.8, clips=75, videos=75)
    quarter, none = of_whole(found, 25, 100), of_whole(found, 0, 100)
    assert (quarter.low, quarter.high) == pytest.approx((0.4, 0.65))
    assert (none.low, none.high) == (0.5, 0.5)


def test_the_interval_of_the_whole_holds_its_score() -> None:
    tests = 120
    held = 0
    for seed in range(tests):
        one = world(seed)
        whole = one.average(np.ones((1, SIZE.videos)))[0]
        gone = np.random.default_rng(seed).permutation(SIZE.videos) < SIZE.videos // 4
        sample = Sample.of(np.flatnonzero(~gone))

        def survivors(weights: np.ndarray, one: Matched = one, gone: np.ndarray = gone) -> np.ndarray:
            every = np.zeros((len(weights), SIZE.videos))
            every[:, ~gone] = weights
            return one.average(every)

        left = len(one.benchmark.surviving(gone).truth)
        found = of_whole(measured(survivors, sample, 100, left), int(gone.sum()), SIZE.videos)
        held += found.low <= whole <= found.high
    print(f"the interval of the whole held its score in {held / tests:.3f} of {tests} tests")
    # 19 of 20 such tests hold so many of intervals of exactly 95 %.
    assert held / tests >= 0.95 - 1.645 * (0.95 * 0.05 / tests) ** 0.5
