"""A run is as long as its release is large, and each architecture learns at its own rates."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from released import released

from slac_tasks.errors import WrongArguments
from slac_tasks.networks.registry import REGISTRY, Kind, architecture
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.training.index import COLUMNS, temporary_index
from slac_tasks.training.planned import plan_of, sentence, steps_of
from slac_tasks.training.settings import Training

SETTINGS = Training(epochs=3.0, batch=32, least_steps=10, most_steps=1000)


@given(st.integers(1, 10**7))
def test_steps_grow_with_the_release_between_two_bounds(clips: int) -> None:
    steps = steps_of(SETTINGS, clips)
    assert 10 <= steps <= 1000
    assert steps_of(SETTINGS, clips + 1) >= steps
    if 10 < steps < 1000:
        assert 3 * clips <= steps * 32 < 3 * clips + 32


def test_a_plan_holds_what_the_settings_say() -> None:
    given = Training(
        batch=64, micro_batch=4, seed=3, loss="softmax", negatives="random", balance=0.5, average=0.9,
        checkpoint_steps=7,
    )  # fmt: skip
    plan, usual = plan_of(given, architecture("r3d_18"), clips=100, tuned=False, world=1), Training()
    for name in ("batch", "micro_batch", "seed", "loss", "negatives", "balance", "average", "checkpoint_steps"):
        assert getattr(plan, name) == getattr(given, name) != getattr(usual, name), name
    assert plan.steps == steps_of(given, 100)


@pytest.mark.parametrize(("asked", "never_learns"), [(False, False), (False, True), (True, False), (True, True)])
def test_a_backbone_is_frozen_where_it_is_wanted_and_where_it_never_learns(asked: bool, never_learns: bool) -> None:
    entry = replace(architecture("r3d_18"), is_frozen=never_learns)
    plan = plan_of(replace(SETTINGS, frozen=asked), entry, clips=100, tuned=True, world=1)
    assert plan.frozen is (asked or never_learns)


def test_each_clip_comes_as_often_as_is_wanted() -> None:
    assert [steps_of(SETTINGS, clips) for clips in (1, 1_000, 10_000, 10**6)] == [10, 94, 938, 1000]


def test_steps_that_are_set_stand() -> None:
    plan = plan_of(Training(steps=7), architecture("r3d_18"), clips=10**6, tuned=False, world=4)
    assert (plan.steps, plan.batch) == (7, 32)


def test_each_architecture_learns_at_its_own_rates() -> None:
    rates = {
        name: plan_of(SETTINGS, entry, clips=100, tuned=False, world=1).rate
        for name, entry in REGISTRY.items()
        if entry.kind is not Kind.FRAME
    }
    assert rates["mvit_v2_s"] == rates["swin3d_t"] == pytest.approx(3e-4)
    assert rates["r2plus1d_18"] == pytest.approx(1e-3)
    assert rates["small_3d"] == pytest.approx(8e-3)
    tuned = plan_of(SETTINGS, architecture("mvit_v2_s"), clips=100, tuned=True, world=1)
    assert tuned.rate == pytest.approx(1e-4)


def test_a_batch_that_the_processes_cannot_divide_is_refused() -> None:
    with pytest.raises(WrongArguments, match=r"training\.batch: is 32, want a multiple of the 3 processes"):
        plan_of(SETTINGS, architecture("r3d_18"), clips=100, tuned=False, world=3)


def test_what_is_about_to_be_done_is_said_in_a_line() -> None:
    rows = [released("a" * 16, float(at), label=1 if at % 3 == 0 else -1) for at in range(6)]
    tables = [RELEASES.table(rows).select(list(COLUMNS))]
    index = temporary_index(tables, split="training", small=True, withdrawn=lambda *_: False)
    entry = architecture("mvit_v2_s")
    plan = plan_of(Training(steps=9, batch=8, micro_batch=2), entry, clips=len(index), tuned=True, world=2)
    assert sentence(plan, entry, index, world=2) == (
        "mvit_v2_s from pretrained weights: 6 clips, 2 labels yes and 4 no in 1 category; 9 steps of 8 clips "
        "(12.0 epochs), 2 processes with 4 each, 2 times 2 at once, highest rate 5e-05, balance 0"
    )
    alone = plan_of(Training(steps=9, batch=8, frozen=True), entry, clips=len(index), tuned=False, world=1)
    assert sentence(alone, entry, index) == (
        "mvit_v2_s from random weights, its head alone: 6 clips, 2 labels yes and 4 no in 1 category; 9 steps of 8 "
        "clips (12.0 epochs), highest rate 0.00015, balance 0"
    )
