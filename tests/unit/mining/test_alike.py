"""Clusters of chosen clips that look alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.mining import alike
from slac_tasks.mining.alike import clusters


@settings(max_examples=40)
@given(st.integers(0, 60), st.integers(1, 12), st.integers(0, 9))
def test_every_clip_is_in_one_cluster_of_at_most_so_many_and_always_the_same(count: int, most: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    found = clusters(points, most)
    assert len(found) == count
    assert all(found.count(cluster) <= most for cluster in set(found))
    assert found == clusters(points, most)


def test_clips_that_look_alike_are_together() -> None:
    chance = np.random.default_rng(0)
    kind = chance.permutation(np.repeat(np.arange(5), 10))
    points = (np.eye(5, 16)[kind] + chance.normal(scale=0.05, size=(50, 16))).astype(np.float32)
    # Each kind has as many clips as a cluster may hold.
    found = np.array(clusters(points, 10))
    assert all(len(set(kind[found == cluster])) == 1 for cluster in set(found.tolist()))
    assert len(set(found.tolist())) == 5


def test_a_large_round_is_cut_before_it_is_clustered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "_AT_ONCE", 16)
    chance = np.random.default_rng(0)
    side = np.repeat([0.0, 5.0], 40)
    points = np.column_stack([side, chance.normal(size=80)]).astype(np.float32)
    found = np.array(clusters(points, 12))
    assert all(len(set(side[found == cluster])) == 1 for cluster in set(found.tolist()))


def test_nothing_gives_nothing() -> None:
    assert clusters(np.empty((0, 4), np.float32), 12) == []
