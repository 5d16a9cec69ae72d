"""Drift is what chance does not explain, where the items of a video hang together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.quality.expectations.stability import Histogram, population_stability


def alone(counts: list[int]) -> Histogram:
    """Items, each of a video of its own."""
    bins = np.repeat(np.arange(len(counts)), counts)
    return Histogram.of(bins, np.arange(len(bins)), len(counts))


def window(random: np.random.Generator, videos: int, clips: int, shift: float = 0.0) -> Histogram:
    """Scores in ten bins, of which those of one video are alike."""
    logits = np.repeat(random.normal(shift, 1.5, videos), clips) + random.normal(0, 1, videos * clips)
    return Histogram.of((9.999 / (1 + np.exp(-logits))).astype(int), np.repeat(np.arange(videos), clips), 10)


@given(st.lists(st.integers(0, 500), min_size=2, max_size=8).filter(lambda counts: sum(counts) > 1))
@settings(max_examples=50)
def test_a_distribution_has_not_drifted_from_itself(counts: list[int]) -> None:
    found = population_stability(alone(counts), alone(counts))
    assert (found.value, found.low) == (0, 0)
    assert found.high is not None
    assert found.high >= 0


def test_a_shift_of_half_the_items_is_drift() -> None:
    found = population_stability(alone([500, 500]), alone([900, 100]), subject="judo")
    assert (found.count, found.subject) == (1000, "judo")
    assert found.value == pytest.approx(0.4 * np.log(9), abs=0.01)
    assert found.low is not None
    assert found.low > 0.6


def test_of_one_video_or_none_nothing_is_known() -> None:
    one = Histogram.of(np.array([0, 1, 1]), np.zeros(3, dtype=int), 2)
    none = Histogram.of(np.zeros(0, dtype=int), np.zeros(0, dtype=int), 2)
    for few in (one, none):
        assert population_stability(few, alone([5, 5])).value is None
        assert population_stability(alone([5, 5]), few).value is None


def test_the_order_of_items_and_the_names_of_videos_say_nothing() -> None:
    random = np.random.default_rng(3)
    bins, videos = random.integers(0, 4, 200), random.integers(0, 30, 200)
    order, names = random.permutation(200), random.permutation(30)
    other = alone([20, 30, 40, 50])
    found = population_stability(other, Histogram.of(bins, videos, 4))
    again = population_stability(other, Histogram.of(bins[order], names[videos[order]], 4))
    assert (found.value, found.low, found.high) == pytest.approx((again.value, again.low, again.high))


@pytest.mark.parametrize("videos", [10, 40])
def test_windows_of_few_videos_raise_no_alarm_by_chance(videos: int) -> None:
    random = np.random.default_rng(7)
    found = [population_stability(window(random, videos, 20), window(random, videos, 20)) for _ in range(200)]
    assert sum(one.low > 0.25 for one in found if one.low is not None) == 0


def test_a_large_shift_of_many_videos_is_seen() -> None:
    random = np.random.default_rng(7)
    found = [population_stability(window(random, 300, 10), window(random, 300, 10, shift=2.0)) for _ in range(20)]
    assert all(one.low is not None and one.low > 0.25 for one in found)


def test_of_many_subjects_each_is_surer() -> None:
    one, many = (population_stability(alone([300, 300]), alone([400, 200]), subjects=number) for number in (1, 200))
    assert one.surely is not None
    assert many.surely is not None
    assert many.surely[0] < one.surely[0] <= one.surely[1] < many.surely[1]
