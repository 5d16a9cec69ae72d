"""Why detections are wrong and what is missed, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.evaluate import case
from slac_tasks.localization.average_precision import RULES, Matched, matched
from slac_tasks.localization.diagnosis import BACKGROUND, HIT, KINDS, by_depth, costs, kinds, sensitivity
from slac_tasks.localization.segments import Benchmark, detections, segments

ACTIVITYNET = RULES["activitynet"]
TRUTH = segments([(0, 0, 0.0, 10.0), (0, 1, 40.0, 50.0)])
FOUND = [
    ((0, 0, 0.0, 10.0, 0.9), "hit"),
    ((0, 0, 0.0, 9.0, 0.8), "double"),
    ((0, 0, 41.0, 50.0, 0.7), "wrong label"),
    ((0, 0, 6.0, 16.0, 0.6), "localization"),
    ((0, 0, 46.0, 56.0, 0.5), "confusion"),
    ((0, 0, 9.5, 30.0, 0.4), "background"),
    ((1, 0, 0.0, 10.0, 0.3), "background"),
    ((0, 1, 40.0, 50.0, 0.2), "hit"),
]


def judged(rows: list[tuple[int, int, float, float, float]], thresholds: list[float]) -> Matched:
    whole = Benchmark(
        videos=("a", "b"), categories=("dive", "jump"), duration_sec=np.array([100.0, np.nan]), truth=TRUTH,
        ambiguous=segments([]),
    )  # fmt: skip
    return matched(whole, detections(rows), ACTIVITYNET, np.array(thresholds))


def test_each_kind_by_hand() -> None:
    one = judged([row for row, _ in FOUND], [0.5])
    assert [KINDS[kind] for kind in kinds(one)[0]] == [name for _, name in FOUND]


def test_a_higher_threshold_makes_a_double_a_matter_of_localization() -> None:
    one = judged([row for row, _ in FOUND], [0.5, 0.95])
    assert [KINDS[kind] for kind in kinds(one)[1]][:3] == ["hit", "localization", "confusion"]


def test_the_surest_detections_are_as_many_as_the_segments_of_their_category() -> None:
    one = judged([row for row, _ in FOUND], [0.5])
    rows = by_depth(one, kinds(one))
    # One segment of each category: the surest of each is a hit; the second of `dive` is a double.
    assert rows[0].shares == (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert rows[1].shares == pytest.approx((2 / 3, 1 / 3, 0.0, 0.0, 0.0, 0.0))
    assert rows[9].shares == pytest.approx((2 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 8, 2 / 8))


def test_a_kind_costs_what_its_removal_gains() -> None:
    rows = [(0, 0, 60.0, 70.0, 0.9), (0, 0, 0.0, 10.0, 0.8), (0, 0, 0.0, 10.0, 0.7), (0, 1, 40.0, 50.0, 0.9)]
    one = judged(rows, [0.5])
    found = costs(one, kinds(one))
    assert found == pytest.approx(
        {"double": 0.0, "wrong label": 0.0, "localization": 0.0, "confusion": 0.0, "background": 0.25}
    )


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_every_detection_is_of_one_kind_and_no_removal_of_a_kind_costs_anything(seed: int) -> None:
    one = case(np.random.default_rng(seed))
    whole = matched(one.benchmark, detections(one.found), ACTIVITYNET)
    found = kinds(whole)
    assert ((found == HIT) == (whole.taken >= 0)).all()
    assert ((found >= HIT) & (found <= BACKGROUND)).all()
    assert all(gain >= -1e-12 for gain in costs(whole, found).values())


def test_what_is_missed_by_length_and_coverage() -> None:
    truth = segments([(0, 0, 0.0, 10.0), (0, 0, 20.0, 60.0), (1, 0, 0.0, 90.0)])
    whole = Benchmark(
        videos=("a", "b"), categories=("dive",), duration_sec=np.array([100.0, 100.0]), truth=truth,
        ambiguous=segments([]),
    )  # fmt: skip
    one = matched(whole, detections([(0, 0, 20.0, 60.0, 0.9), (1, 0, 0.0, 90.0, 0.8)]), ACTIVITYNET, np.array([0.5]))
    parts = sensitivity(one)
    assert [(each.segments, each.missed) for each in parts if each.what == "all"] == [(3, pytest.approx(1 / 3))]
    coverage = [(each.segments, each.missed, each.precision) for each in parts if each.what == "coverage"]
    assert coverage == [(1, 1.0, 0.0), (1, 0.0, 1.0), (0, None, None), (0, None, None), (1, 0.0, 1.0)]
    assert sum(each.segments for each in parts if each.what == "length") == 3


def test_coverage_is_left_out_where_no_length_is_known() -> None:
    one = case(np.random.default_rng(0))
    parts = sensitivity(matched(one.benchmark, detections(one.found), ACTIVITYNET))
    assert {each.what for each in parts} == {"all", "length"}
