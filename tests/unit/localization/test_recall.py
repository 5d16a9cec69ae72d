"""Average recall against the number of proposals, by hand."""

import numpy as np
import pytest

from slac_tasks.localization.recall import recall
from slac_tasks.localization.segments import Benchmark, detections, segments

ONES = np.ones((1, 2))
TRUTH = Benchmark(
    videos=("a", "b"), categories=("dive", "jump"), duration_sec=np.full(2, 100.0), ambiguous=segments([]),
    truth=segments([(0, 0, 0.0, 10.0), (0, 1, 20.0, 30.0), (1, 0, 0.0, 10.0)]),
)  # fmt: skip


def test_by_hand() -> None:
    found = detections([
        (0, 1, 0.0, 10.0, 0.9), (0, 1, 50.0, 60.0, 0.8), (1, 0, 0.0, 10.0, 0.1), (1, 0, 1.0, 10.0, 0.05),
    ])  # fmt: skip
    # One proposal of a video on average: the surest of each, at every point the same share of it.
    one = recall(TRUTH, found, number=1.0)
    assert one.numbers[[0, -1]].tolist() == [pytest.approx(0.01), pytest.approx(1.0)]
    curve = one.curve(ONES)[0]
    assert (curve[:99].tolist(), curve[99]) == ([0.0] * 99, pytest.approx(2 / 3)), "a category does not count"
    two = recall(TRUTH, found, number=2.0).curve(ONES)[0]
    assert two[[48, 49, 98, 99]].tolist() == [0.0, pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3)]


def test_nothing_found() -> None:
    nothing = recall(TRUTH, detections([]))
    assert nothing.area(ONES).tolist() == [0.0]
    assert nothing.numbers[-1] == 100.0


def test_the_truth_as_proposals_is_all_found_at_the_end() -> None:
    found = detections([(0, 0, 0.0, 10.0, 0.9), (0, 0, 20.0, 30.0, 0.8), (1, 0, 0.0, 10.0, 0.1)])
    whole = recall(TRUTH, found)
    assert whole.curve(ONES)[0, -1] == 1.0
    assert 0 < whole.area(ONES)[0] < 1
