from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.intervals import ratio, wilson


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
