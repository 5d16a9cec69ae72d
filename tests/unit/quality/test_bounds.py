"""Bounds of a share hold as often as they say, at one look or at every look, and move the right way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from bench.certify import exact_bound
from slac_tasks.quality.bounds import Sample

counts = st.integers(1, 3000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count)))
alphas = st.sampled_from([0.05, 0.025, 0.001])


@given(counts, alphas)
def test_the_exact_bound_is_that_of_clopper_and_pearson(sample: tuple[int, int], alpha: float) -> None:
    wrong, count = sample
    known = binomtest(wrong, count, alternative="less").proportion_ci(1 - alpha, method="exact").high
    assert exact_bound(wrong, count, alpha) == pytest.approx(known, abs=1e-9)


@given(counts, alphas)
def test_a_bound_for_every_look_is_never_below_that_for_one(sample: tuple[int, int], alpha: float) -> None:
    assert Sample.plain(*sample).bound(alpha) >= exact_bound(*sample, alpha) - 1e-8


strata = st.lists(
    st.tuples(st.floats(0.01, 1.0), st.integers(0, 200), st.integers(0, 50)), min_size=1, max_size=4
).filter(lambda some: any(right + wrong for _, right, wrong in some))


def sample_of(some: list[tuple[float, int, int]]) -> Sample:
    weights, right, wrong = (np.array(column, dtype=float) for column in zip(*some, strict=True))
    return Sample(weights=weights, right=right, wrong=wrong)


@given(strata, st.data())
def test_an_error_more_never_lowers_a_bound_and_a_right_item_never_raises_it(
    some: list[tuple[float, int, int]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(some) - 1))
    weight, right, wrong = some[place]
    bound = sample_of(some).bound(0.05)
    added = [*some[:place], (weight, right, wrong + 1), *some[place + 1 :]]
    assert sample_of(added).bound(0.05) >= bound - 1e-8
    added = [*some[:place], (weight, right + 1, wrong), *some[place + 1 :]]
    assert sample_of(added).bound(0.05) <= bound + 1e-8
    if right:
        turned = [*some[:place], (weight, right - 1, wrong + 1), *some[place + 1 :]]
        assert sample_of(turned).bound(0.05) >= bound - 1e-8


@given(strata)
def test_items_of_one_weight_may_be_counted_in_parts(some: list[tuple[float, int, int]]) -> None:
    halves = [(weight, right // 2, wrong // 2) for weight, right, wrong in some]
    rests = [(weight, right - right // 2, wrong - wrong // 2) for weight, right, wrong in some]
    assert sample_of([*halves, *rests]).bound(0.05) == pytest.approx(sample_of(some).bound(0.05), abs=1e-8)


def test_no_item_says_nothing() -> None:
    assert exact_bound(0, 0, 0.05) == 1.0
    assert Sample.plain(0, 0).bound(0.05) == pytest.approx(1.0)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_bound_that_is_read_after_every_item_holds(weighted: bool) -> None:
    """Half of the clips are ten times as likely to be drawn as the others, and those are wrong more often."""
    chance = np.random.default_rng(0)
    alpha, error, items, replays = 0.1, 0.08, 600, 2000
    often = chance.random((replays, items)) < (10 / 11 if weighted else 1.0)
    wrong = chance.random((replays, items)) < np.where(often, 0.02 if weighted else error, 0.14)
    assert error == pytest.approx((0.02 + 0.14) / 2)
    # right and wrong after each item, by weight: .1 and 1
    weights = np.array([0.1, 1.0]) if weighted else np.array([1.0, 0.5])
    kinds = np.stack([often, ~often], axis=-1)
    right = np.cumsum(kinds & ~wrong[..., None], axis=1).astype(float)
    sample = Sample(weights=weights, right=right, wrong=np.cumsum(kinds & wrong[..., None], axis=1).astype(float))
    ever = (sample.log_capital(error) >= -np.log(alpha)).any(axis=1).mean()
    assert 0.01 < ever <= alpha
    if not weighted:
        looks = np.arange(20, items + 1, 20)
        fooled = np.vectorize(exact_bound)(sample.wrong[:, looks - 1, 0].astype(int), looks, alpha) < error
        assert fooled.any(axis=1).mean() > 2 * alpha, "a bound for one look does not hold at every look"
