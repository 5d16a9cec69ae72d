"""Maps of clips: the like lie together, and the same clips lie where they lay."""

import numpy as np
import pytest

from slac_tasks.mining.layout import drawn, laid_out


def kinds(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return (kind, point) of clips of three kinds, which are mixed."""
    chance = np.random.default_rng(seed)
    kind = chance.permutation(np.arange(count) % 3)
    return kind, (np.eye(3, 16)[kind] + chance.normal(scale=0.1, size=(count, 16))).astype(np.float32)


def test_clips_that_look_alike_are_neighbours() -> None:
    kind, points = kinds(90)
    at = laid_out(points)
    apart = np.linalg.norm(at[:, None] - at[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (kind[apart.argmin(axis=1)] == kind).all()
    assert (at == laid_out(points)).all()
    assert at.min() >= 0
    assert at.max() <= 1
    assert np.ptp(at, axis=0).max() == pytest.approx(1)


@pytest.mark.parametrize("count", [0, 1, 2, 9, 10, 12])
def test_few_clips_have_a_map_too(count: int) -> None:
    at = laid_out(kinds(count)[1])
    assert at.shape == (count, 2)
    assert np.isfinite(at).all()
    assert ((at >= 0) & (at <= 1)).all()


def test_clips_of_which_all_is_the_same_lie_in_one_place() -> None:
    at = laid_out(np.ones((5, 64), np.float32))
    assert at.tolist() == [[0.5, 0.5]] * 5


def test_which_clips_are_drawn_is_a_rule_of_their_ids() -> None:
    clips = [f"{video:016x}:{start}" for video in range(20) for start in range(0, 5000, 500)]
    few = drawn(clips, 50)
    assert len(few) == 50
    assert few == drawn(reversed(clips), 50)
    assert set(few) < set(drawn(clips, 60))
