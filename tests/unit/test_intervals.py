from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.intervals import ratio, wilson, worth


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (0, 0, 0, 1)],
)
def test_wilson(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=1e-4)


COUNTS = st.integers(1, 60).flatmap(lambda whole: st.tuples(st.integers(1, whole), st.just(whole)))


@given(one=COUNTS, other=COUNTS)
def test_a_ratio_of_shares_has_a_width_whatever_the_shares_are(one: tuple[int, int], other: tuple[int, int]) -> None:
    value = (one[0] / one[1]) / (other[0] / other[1])
    low, high = ratio(*one, *other)
    assert 0 < low < value < high
    # Turned round it says the same.
    assert ratio(*other, *one) == pytest.approx((1 / high, 1 / low))


@pytest.mark.parametrize(("share", "other"), list(product([0.3, 0.5, 0.9, 0.99], repeat=2)))
def test_a_ratio_of_shares_holds_the_truth_as_often_as_it_says(share: float, other: float) -> None:
    size = 10
    chance = [[comb(size, n) * p**n * (1 - p) ** (size - n) for n in range(1, size + 1)] for p in (share, other)]
    known = held = 0.0
    for (a, first), (b, second) in product(enumerate(chance[0], 1), enumerate(chance[1], 1)):
        low, high = ratio(a, size, b, size)
        known += first * second
        held += first * second * (low <= share / other <= high)
    # By its logarithm it did in .48 where nearly all clips show the action.
    assert held / known >= 0.93


def test_clips_count_as_many_as_their_videos_say_that_they_are_worth() -> None:
    assert worth([1, 0, 1], [1, 1, 1]) == 3, "each of a video of its own"
    assert worth([5], [5]) == 1
    assert worth([4, 4, 2], [4, 4, 2]) == pytest.approx(100 / 36), "all alike: those of one video count as one"
    apart, mixed = worth([4, 0] * 20, [4] * 40), worth([1, 3, 2, 2] * 10, [4] * 40)
    assert apart == pytest.approx(39, rel=0.1), "the clips of a video say the same"
    assert apart < mixed <= 160, "never more than clips"
    assert worth([4, 0, 1], [4, 4, 2]) == pytest.approx(worth([1, 4, 0], [2, 4, 4]))
