"""The committee's word counts as much as it has been right, whatever scale it speaks on."""

import numpy as np
import pytest
from crowds import crowd

from slac_tasks.verification.aggregation.crowd import Scores
from slac_tasks.verification.aggregation.dawid_skene import DawidSkene
from slac_tasks.verification.aggregation.with_committee import WithCommittee

PANELS = ("p0", "p1")
RATES = np.linspace(0.65, 0.9, 20)


def test_it_calibrates_weighs_and_may_be_silent() -> None:
    ballots, truth = crowd(0, 4000, RATES, RATES)
    chance = np.random.default_rng(1)
    panel = np.zeros(ballots.clips, dtype=np.int64)
    alone = DawidSkene()(ballots)

    silent = WithCommittee(scores=Scores(value=np.full(ballots.clips, np.nan), panel=panel, panels=PANELS))(ballots)
    assert np.array_equal(silent.confidence, alone.confidence)

    noise = WithCommittee(scores=Scores(value=chance.random(ballots.clips), panel=panel, panels=PANELS))(ballots)
    assert (noise.positive == alone.positive).mean() > 0.97

    # Right on 85 %, but turned upside down and squeezed into a corner: low means yes.
    right = chance.random(ballots.clips) < 0.85
    says = np.where(right, truth, 1 - truth)
    score = 0.9 + 0.05 * (1 - says) + 0.01 * chance.random(ballots.clips)
    joined = WithCommittee(scores=Scores(value=score, panel=panel, panels=PANELS))(ballots)
    assert (joined.positive == truth).mean() > (alone.positive == truth).mean() + 0.02


def test_every_panel_has_its_own_scale() -> None:
    ballots, truth = crowd(0, 4000, RATES, RATES)
    right = np.random.default_rng(2).random(ballots.clips) < 0.85
    says = np.where(right, truth, 1 - truth)
    panel = np.arange(ballots.clips) % 2
    # The same score means yes in one panel and no in the other.
    score = np.where(panel == 0, says, 1 - says) + 0.1 * np.random.default_rng(3).random(ballots.clips)
    both = WithCommittee(scores=Scores(value=score, panel=panel, panels=PANELS))(ballots)
    mixed = WithCommittee(scores=Scores(value=score, panel=np.zeros_like(panel), panels=PANELS))(ballots)
    assert (both.positive == truth).mean() > (mixed.positive == truth).mean() + 0.02
    assert (mixed.positive == DawidSkene()(ballots).positive).mean() == pytest.approx(1, abs=0.03)
