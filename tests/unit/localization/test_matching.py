"""The greedy choice: who finds what, by hand."""

import numpy as np
import pytest

from slac_tasks.localization.matching import pairs, taken_by_score, taken_by_truth, tiou
from slac_tasks.localization.segments import Segments, detections, segments

HALF = np.array([0.5])


def test_tiou_by_hand() -> None:
    one = segments([(0, 0, 0.0, 10.0), (0, 0, 0.0, 1.0), (0, 0, 2.0, 2.0), (0, 0, 2.0, 2.0)])
    other = segments([(0, 0, 5.0, 15.0), (0, 0, 1.0, 2.0), (0, 0, 2.0, 2.0), (0, 0, 0.0, 4.0)])
    assert tiou(one, other).tolist() == [pytest.approx(1 / 3), 0.0, 0.0, 0.0]


def test_what_overlaps_is_of_one_video_and_where_wanted_of_one_category() -> None:
    truth = segments([(0, 0, 0.0, 2.0), (0, 1, 0.0, 2.0), (1, 0, 0.0, 2.0)])
    found = segments([(0, 0, 1.0, 2.0), (2, 0, 0.0, 2.0)])
    own, all_ = pairs(found, truth), pairs(found, truth, of_category=False)
    assert (own.detection.tolist(), own.segment.tolist(), own.tiou.tolist()) == ([0], [0], [0.5])
    assert (all_.detection.tolist(), all_.segment.tolist()) == ([0, 0], [0, 1])


@pytest.mark.parametrize("of_category", [True, False])
@pytest.mark.parametrize(("own", "theirs"), [(4, 4), (1, 4), (4, 1), (2, 3)])
def test_whatever_overlaps_is_found_as_one_by_one(of_category: bool, own: int, theirs: int) -> None:
    """`own` and `theirs`: categories of the detections and of the segments."""
    chance = np.random.default_rng(own * 10 + theirs)

    def some(count: int, categories: int) -> list[tuple[int, int, float, float]]:
        starts = chance.integers(0, 12, count)
        places = zip(chance.integers(0, 3, count), chance.integers(0, categories, count), starts, strict=True)
        return [(int(v), int(c), float(at), float(at + chance.integers(0, 6))) for v, c, at in places]

    found, truth = some(40, own), some(30, theirs)
    wanted = [
        (place, other, float(tiou(segments([one]), segments([two]))[0]))
        for place, one in enumerate(found) for other, two in enumerate(truth)
        if one[0] == two[0] and (one[1] == two[1] or not of_category) and min(one[3], two[3]) > max(one[2], two[2])
    ]  # fmt: skip
    known = pairs(segments(found), segments(truth), of_category=of_category)
    columns = (known.detection.tolist(), known.segment.tolist(), known.tiou.tolist())
    assert list(zip(*columns, strict=True)) == wanted
    assert wanted


def test_the_surest_detection_chooses_first_and_the_next_takes_what_is_left() -> None:
    truth = segments([(0, 0, 0.0, 10.0), (0, 0, 4.0, 14.0)])
    # The surest fits the first segment best; the second would take the same, and the third finds both taken.
    found = detections([(0, 0, 1.0, 10.0, 0.8), (0, 0, 0.0, 10.0, 0.9), (0, 0, 4.0, 14.0, 0.1)])
    taken = taken_by_score(found, truth, np.array([0.4, 0.5, 0.95]))
    assert taken.tolist() == [[1, 0, -1], [-1, 0, 1], [-1, 0, 1]]


def test_by_the_toolkit_a_segment_chooses_the_closest_detection_whatever_its_score() -> None:
    truth = segments([(0, 0, 0.0, 10.0)])
    found = detections([(0, 0, 0.0, 8.0, 0.9), (0, 0, 0.0, 10.0, 0.1)])
    assert taken_by_score(found, truth, HALF).tolist() == [[0, -1]]
    assert taken_by_truth(found, truth, HALF).tolist() == [[-1, 0]]


def test_a_threshold_is_reached_by_score_and_passed_by_the_toolkit() -> None:
    truth, found = segments([(0, 0, 0.0, 2.0)]), detections([(0, 0, 0.0, 1.0, 0.5)])
    assert taken_by_score(found, truth, HALF).tolist() == [[0]]
    assert taken_by_truth(found, truth, HALF).tolist() == [[-1]]


def test_of_equals_the_earlier_comes_first() -> None:
    truth = segments([(0, 0, 0.0, 2.0), (0, 0, 0.0, 2.0)])
    found = detections([(0, 0, 0.0, 2.0, 0.5)] * 3)
    for rule in (taken_by_score, taken_by_truth):
        assert rule(found, truth, HALF).tolist() == [[0, 1, -1]]


def test_a_segment_ends_no_earlier_than_it_starts() -> None:
    with pytest.raises(ValueError, match=r"segment 1 starts at 3.0 and ends at 2.0"):
        segments([(0, 0, 1.0, 2.0), (0, 0, 3.0, 2.0)])
    with pytest.raises(ValueError, match="segment 0"):
        segments([(0, 0, 1.0, float("nan"))])
    with pytest.raises(ValueError, match="category"):
        Segments(video=np.zeros(2, int), category=np.zeros(1, int), start_sec=np.zeros(2), end_sec=np.ones(2))
