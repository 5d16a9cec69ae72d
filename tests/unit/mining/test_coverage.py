from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.errors import BrokenContract
from slac_tasks.mining import coverage
from slac_tasks.mining.choice import choose
from slac_tasks.mining.coverage import covering, space
from slac_tasks.mining.pool import Pool, make_pool
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Strategy, clip_id

ANY = Mining(min_gap_sec=0.0, clips_per_video=1000)


def pool_of(points: Any, per_video: int = 1) -> Pool:
    """Clips at these places, `per_video` in a row of one video, half a second apart."""
    n = len(points)
    return make_pool(
        pa.array([f"{number // per_video:016x}" for number in range(n)]), np.arange(n) % per_video * 0.5,
        np.zeros(n, int), np.full((n, 2), 0.5), seed="s", at=space([points.astype(np.float32)]),
    )  # fmt: skip


def cover(pool: Pool, count: int, knobs: Mining = ANY, weight: Any = None, asked: tuple[int, ...] = ()) -> Any:
    free = np.ones(len(pool), bool)
    free[list(asked)] = False
    assert pool.at is not None
    return covering(
        pool, pool.at, np.ones(len(pool)) if weight is None else weight, count, free=free,
        given=np.zeros(len(pool.videos), int), taken=np.array(asked, int), knobs=knobs,
    )  # fmt: skip


def groups(seed: int = 0, sizes: tuple[int, ...] = (40, 30, 20, 10)) -> tuple[Any, Any]:
    """Points around as many centres; which centre each belongs to."""
    rng = np.random.default_rng(seed)
    centres = np.eye(len(sizes), 8) * 10
    of = np.repeat(np.arange(len(sizes)), sizes)
    return centres[of] + rng.normal(size=(len(of), 8)) * 0.3, of


def test_the_first_clips_stand_for_one_group_each_the_largest_first() -> None:
    points, of = groups()
    rows, gains = cover(pool_of(points), 4)
    assert of[rows].tolist() == [0, 1, 2, 3]
    assert (np.diff(gains) <= 1e-6).all()


def test_a_group_that_was_asked_is_covered_already() -> None:
    points, of = groups()
    rows, _ = cover(pool_of(points), 3, asked=(5,))
    assert of[rows].tolist() == [1, 2, 3]


def test_everything_that_was_asked_counts_however_much_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "MOST", 50)
    points, of = groups()
    rows, _ = cover(pool_of(points), 1, asked=(*range(60), 75))
    assert of[rows].tolist() == [3]


def test_what_is_worth_more_is_covered_first() -> None:
    points, of = groups()
    rows, _ = cover(pool_of(points), 1, weight=np.where(of == 3, 10.0, 0.1))
    assert of[rows].tolist() == [3]


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), count=st.integers(1, 12), n=st.integers(2, 40))
def test_a_heap_of_old_gains_chooses_what_all_gains_would(seed: int, count: int, n: int) -> None:
    pool = pool_of(np.random.default_rng(seed).normal(size=(n, 6)))
    assert pool.at is not None
    rows, gains = cover(pool, count)
    kernel = coverage._kernel(pool.at, pool.at, coverage._width(pool.at)).astype(float)
    covered = np.zeros(n)
    for row, gain in zip(rows, gains, strict=True):
        every = np.maximum(kernel - covered[:, None], 0).mean(axis=0)
        assert gain == pytest.approx(every.max(), abs=1e-5)
        assert every[row] == pytest.approx(gain, abs=1e-5)
        covered = np.maximum(covered, kernel[:, row])
    assert len(set(rows.tolist())) == len(rows) == min(count, n)


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), quota=st.integers(1, 3), gap=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_quota_and_gap_hold(seed: int, quota: int, gap: float) -> None:
    pool = pool_of(np.random.default_rng(seed).normal(size=(24, 4)), per_video=6)
    rows, _ = cover(pool, 24, Mining(min_gap_sec=gap, clips_per_video=quota))
    for video in range(len(pool.videos)):
        starts = np.sort(pool.start_ms[rows[pool.video[rows] == video]])
        assert len(starts) <= quota
        assert (np.diff(starts) >= max(1, gap * 1000)).all()


def test_a_large_pool_is_represented_by_some_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "MOST", 50)
    points, of = groups(sizes=(400, 300, 200, 100))
    rows, _ = cover(pool_of(points), 4)
    assert set(of[rows].tolist()) == {0, 1, 2, 3}


def test_members_weigh_the_same_whatever_the_size_of_their_numbers() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(30, 4)).astype(np.float32), rng.normal(size=(30, 7)).astype(np.float32)
    assert space([one * 1000 + 5, two]) == pytest.approx(space([one, two]), abs=1e-4)


def test_coverage_chooses_beside_the_control_and_asks_nothing_twice() -> None:
    points, _ = groups()
    pool = pool_of(points)
    asked = [clip_id(pool.videos[pool.video[3]], 0.0)]
    wanted = {Strategy.RANDOM: 5, Strategy.COVERAGE: 6, Strategy.UNSURE_COVERAGE: 3}
    chosen = choose(pool, wanted, knobs=ANY, asked=asked)
    assert [choice.strategy for choice in chosen] == [name for name, count in wanted.items() for _ in range(count)]
    rows = [choice.index for choice in chosen]
    assert len(set(rows)) == len(rows)
    assert pool.row[3] not in rows
    assert all(choice.value is not None for choice in chosen if choice.strategy is not Strategy.RANDOM)


def test_clips_stand_first_for_those_of_which_the_committee_as_a_whole_is_unsure() -> None:
    points, of = groups(sizes=(20, 20))
    pool = pool_of(points)
    # One member alone is unsure of the first group, and two that contradict each other leave the second one open.
    pool.scores[:] = np.where(of[:, None] == 0, (0.5, 0.99), (0.99, 0.01))
    (chosen,) = choose(pool, {Strategy.UNSURE_COVERAGE: 1}, knobs=ANY)
    assert of[chosen.index] == 1


@pytest.mark.parametrize("was_asked", [True, False])
def test_what_was_asked_or_is_chosen_already_is_covered(was_asked: bool) -> None:
    """A clip of the largest group was asked in an earlier round, or another strategy has chosen it in this one."""
    points, of = groups()
    pool = pool_of(points)
    pool.scores[7] = 0.9
    asked = [clip_id(pool.videos[pool.video[7]], 0.0)] if was_asked else []
    wanted = {Strategy.CONSENSUS: 0 if was_asked else 1, Strategy.COVERAGE: 3}
    chosen = choose(pool, wanted, knobs=ANY, asked=asked)
    covering = [of[choice.index] for choice in chosen if choice.strategy is Strategy.COVERAGE]
    assert covering == [1, 2, 3]


def test_coverage_without_features_is_refused() -> None:
    pool = make_pool(pa.array(["a" * 16]), np.zeros(1), np.zeros(1, int), np.full((1, 2), 0.5), seed="s")
    with pytest.raises(BrokenContract, match="without features"):
        choose(pool, {Strategy.COVERAGE: 1}, knobs=ANY)
