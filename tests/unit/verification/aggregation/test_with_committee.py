"""The committee's word counts as much as it has been right, whatever scale it speaks on."""

import numpy as np
import pytest
from crowds import crowd

from slac_tasks.verification.aggregation.dawid_skene import DawidSkene
from slac_tasks.verification.aggregation.with_committee import WithCommittee

RATES = np.linspace(0.65, 0.9, 20)


def test_it_calibrates_weighs_and_may_be_silent() -> None:
    ballots, truth = crowd(0, 4000, RATES, RATES)
    chance = np.random.default_rng(1)
    panel = np.zeros(ballots.clips, dtype=np.int64)
    alone = DawidSkene()(ballots)

    silent = WithCommittee(score=np.full(ballots.clips, np.nan), panel=panel)(ballots)
    assert np.array_equal(silent.confidence, alone.confidence)

    noise = WithCommittee(score=chance.random(ballots.clips), panel=panel)(ballots)
    assert (noise.positive == alone.positive).mean() > 0.97

    # Right on 85 %, but turned upside down and squeezed into a corner: low means yes.
    right = chance.random(ballots.clips) < 0.85
    says = np.where(right, truth, 1 - truth)
    score = 0.9 + 0.05 * (1 - says) + 0.01 * chance.random(ballots.clips)
    joined = WithCommittee(score=score, panel=panel)(ballots)
    assert (joined.positive == truth).mean() > (alone.positive == truth).mean() + 0.02


def test_every_panel_has_its_own_scale() -> None:
    ballots, truth = crowd(0, 4000, RATES, RATES)
    right = np.random.default_rng(2).random(ballots.clips) < 0.85
    says = np.where(right, truth, 1 - truth)
    panel = np.arange(ballots.clips) % 2
    # The same score means yes in one panel and no in the other.
    score = np.where(panel == 0, says, 1 - says) + 0.1 * np.random.default_rng(3).random(ballots.clips)
    both = WithCommittee(score=score, panel=panel)(ballots)
    mixed = WithCommittee(score=score, panel=np.zeros_like(panel))(ballots)
    assert (both.positive == truth).mean() > (mixed.positive == truth).mean() + 0.02
    assert (mixed.positive == DawidSkene()(ballots).positive).mean() == pytest.approx(1, abs=0.03)
