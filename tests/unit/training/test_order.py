"""The order of training: every clip once an epoch, rare labels more often where asked, the same from any place on."""

import gc
import weakref

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.training.order import Order, balancing

VIDEOS = st.lists(st.integers(1, 4), min_size=1, max_size=12).map(
    lambda counts: np.repeat(np.arange(len(counts)), counts).astype(np.int32)
)


@settings(max_examples=60)
@given(videos=VIDEOS, seed=st.integers(0, 99), block=st.integers(1, 5), cut=st.integers(0, 60))
def test_an_epoch_holds_each_clip_once_and_goes_on_from_any_place(
    videos: np.ndarray, seed: int, block: int, cut: int
) -> None:
    n = len(videos)
    order = Order(videos=videos, seed=seed, block=block)
    for number in range(2):
        assert sorted(order.epoch(number)) == list(range(n))
    whole = order.between(0, 90)
    again = Order(videos=videos, seed=seed, block=block)
    assert np.array_equal(again.between(cut, 90), whole[cut:])
    assert np.array_equal(again.between(0, 90), whole)


def test_a_block_holds_whole_videos_so_that_a_rendition_is_opened_near_in_time() -> None:
    videos = np.repeat(np.arange(100), 3).astype(np.int32)
    for number in range(3):
        seen = videos[Order(videos=videos, seed=1, block=10).epoch(number)].reshape(10, 30)
        assert all(len(set(block)) == 10 for block in seen)
        assert len({tuple(block) for block in seen}) == 10
        # Clips of a block are mixed: those of a video do not come one after the other.
        assert all((block[1:] == block[:-1]).sum() < 10 for block in seen)


def test_each_epoch_and_each_seed_has_another_order_and_other_blocks() -> None:
    videos = np.repeat(np.arange(100), 3).astype(np.int32)
    epochs = [Order(videos=videos, seed=seed, block=10).epoch(number) for seed in (0, 1) for number in (0, 1)]
    assert len({epoch.tobytes() for epoch in [*epochs, np.arange(300)]}) == 5
    assert len({frozenset(videos[epoch[:30]].tolist()) for epoch in epochs}) == 4


def test_one_epoch_is_held_at_a_time() -> None:
    order = Order(videos=np.arange(9, dtype=np.int32), seed=0)
    first = weakref.ref(order.epoch(0))
    assert order.epoch(0) is first()
    order.epoch(1)
    gc.collect()
    assert first() is None


def test_what_is_wanted_half_a_time_comes_in_some_epochs_and_what_is_not_in_none() -> None:
    order = Order(videos=np.arange(4, dtype=np.int32), seed=0, weights=np.array([0.0, 0.0, 3.5, 0.5]))
    counts = [np.bincount(order.epoch(number), minlength=4).tolist() for number in range(20)]
    assert {tuple(count) for count in counts} == {(0, 0, 3, 1), (0, 0, 4, 0)}


def test_without_a_clip_that_is_wanted_there_is_no_order_and_no_wait() -> None:
    videos = np.arange(3, dtype=np.int32)
    assert Order(videos=videos, seed=0, weights=np.zeros(3)).between(0, 5).tolist() == []
    for weights in (None, np.zeros(0)):
        assert Order(videos=videos[:0], seed=0, weights=weights).epoch(0).tolist() == []


@settings(max_examples=40)
@given(
    weights=st.lists(st.floats(0, 9), min_size=2, max_size=30).filter(lambda w: sum(w) > 0.1), seed=st.integers(0, 9)
)
def test_clips_come_as_often_as_they_are_wanted_to_within_one(weights: list[float], seed: int) -> None:
    wanted = np.array(weights)
    order = Order(videos=np.arange(len(wanted), dtype=np.int32), seed=seed, weights=wanted)
    count = np.bincount(order.epoch(0), minlength=len(wanted))
    expected = wanted / wanted.sum() * len(wanted)
    assert count.sum() == len(wanted)
    assert (np.abs(count - expected) < 1 + 1e-6).all()
    assert not count[wanted == 0].any()


def test_balanced_rare_labels_come_as_often_as_common_ones() -> None:
    cell = np.array([0] * 90 + [1] * 10)
    for power, share in ((0.0, 0.1), (0.5, 0.25), (1.0, 0.5)):
        weights = balancing(np.arange(100), cell, clips=101, power=power)
        assert weights[100] == 0  # a clip without a label
        assert weights[90:].sum() / weights.sum() == share
