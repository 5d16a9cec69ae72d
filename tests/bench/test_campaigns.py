"""Campaigns in a made-up world: what they spend, how they are judged."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from bench import strategies
from bench.harness import heads
from bench.harness.campaigns import SECONDS, Campaign, Policy
from bench.harness.drawing import lines
from bench.harness.heads import Bought, combined, trust
from bench.harness.worlds import World, scored
from bench.labels import ONCE, TODAY
from bench.strategies import BASE, WAYS, State, figures, simulate
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Strategy

ROOT = Path(__file__).resolve().parents[2]
PAIRS = [(world, crew) for world in range(4) for crew in range(2)]


def world(videos: int = 40) -> World:
    """Return a world of one category whose truth half shows in the features of its two members."""
    chance = np.random.default_rng(0)
    clips = pd.DataFrame(
        [
            {"video_id": f"video{number:06d}", "start_sec": 3.0 * place, "shot": place, "category": "wave"}
            for number in range(videos)
            for place in range(4)
        ]
    )
    clips["clip_id"] = [f"{row.video_id}:{round(row.start_sec * 1000)}" for row in clips.itertuples()]
    clips["truth"] = chance.random(len(clips)) < 0.4
    clips["is_test"] = np.arange(len(clips)) % 4 == 0
    clips["is_pool"] = ~clips["is_test"]
    found, heads = {}, {}
    for member in ("one", "two"):
        seen = chance.normal(size=(len(clips), 6)) + clips["truth"].to_numpy()[:, None]
        found[member] = torch.tensor(seen, dtype=torch.float32)
        torch.manual_seed(0)
        heads[member] = nn.Linear(6, 2).requires_grad_(False), ["nod", "wave"]
    return World(seed=0, knobs=Mining(), clips=clips, found=found, heads=heads)


def campaign(policy: Policy, rounds: int, minutes: float) -> Campaign:
    toy = world()
    begun = Campaign.begin(toy, policy, scored(toy, toy.heads), 1)
    for _ in range(rounds):
        begun.round(minutes)
    return begun


@pytest.mark.parametrize("policy", [*WAYS.values(), TODAY, ONCE], ids=[*WAYS, "labels_today", "labels_once"])
@pytest.mark.parametrize("rounds", [1, 3])
def test_a_campaign_spends_what_it_was_granted_but_for_one_clip(policy: Policy, rounds: int) -> None:
    played = campaign(policy, rounds, 1.5)
    (category,) = played.categories
    most = max(policy.review.control_most, 3)
    assert abs(category.seconds - category.granted) < most * SECONDS
    gold = category.granted - rounds * 90
    assert gold == pytest.approx(sum(len(category.answers[clip]) for clip in golden(played)) * SECONDS)


def golden(played: Campaign) -> list[int]:
    (category,) = played.categories
    return np.flatnonzero(played.is_gold(category)).tolist()


def test_where_the_pool_ends_people_are_asked_again_and_the_round_ends() -> None:
    played = campaign(WAYS["coverage_once"], 1, 60)
    assert played.minutes < 60
    assert len(played.categories[0].answers) == 120
    assert {len(given) for given in played.categories[0].answers.values()} <= {2, 3}


def test_a_referee_moves_the_shares_once_there_is_control_enough() -> None:
    toy = world(videos=120)
    even = Policy(shares=dict.fromkeys((Strategy.DISAGREEMENT, Strategy.COVERAGE), 0.2), review=WAYS["mixed"].review)
    counts = {}
    for referee in (False, True):
        begun = Campaign.begin(toy, replace(even, referee=referee), scored(toy, toy.heads), 1)
        for rounds in (1, 2):
            begun.round(6)
            (category,) = begun.categories
            counts[referee, rounds] = [int((category.strategy == name).sum()) for name in ("coverage", "disagreement")]
    assert counts[True, 1] == counts[False, 1]
    assert counts[True, 2] != counts[False, 2]


ASKED_AGAIN = """
from dataclasses import replace
from test_campaigns import ONCE, campaign
(category,) = campaign(replace(ONCE, again_by_lot=True), 2, 3).categories
print({clip: len(given) for clip, given in category.answers.items()})
"""


def test_clips_that_are_asked_again_by_lot_are_the_same_in_every_process() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", ASKED_AGAIN], check=True, capture_output=True, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert said[0] == said[1]


def test_log_odds_of_weak_and_bought_labels_add_up_as_far_as_a_member_can_be_believed() -> None:
    toy = world()
    bought = {member: Bought(head=nn.Linear(6, 1).requires_grad_(False), trust=0.5) for member in toy.found}
    for weak in (0.0, 1.0):
        for member, (head, outputs) in combined(toy, bought, weak).items():
            assert outputs == ["wave"]
            seen = toy.found[member]
            begun = toy.heads[member][0](seen)[:, 1:]
            torch.testing.assert_close(head(seen), 0.5 * (bought[member].head(seen) + weak * begun))


def test_a_member_is_believed_as_far_as_it_is_right_about_videos_that_it_has_not_seen() -> None:
    chance = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 2, (200, 1), generator=chance, dtype=torch.int8) * 2 - 1
    noise = torch.randn(200, 6, generator=chance)
    nothing = nn.Linear(6, 1).requires_grad_(False)
    nothing.weight.zero_()
    half = np.arange(200) % 2
    able, unable = (trust(seen, nothing, targets, half) for seen in (noise + 2 * targets, noise))
    assert able > 0.5
    assert unable < 0.2
    assert trust(noise[:0], nothing, targets[:0], half[:0]) == 1.0


def test_answers_teach_the_committee() -> None:
    first, last = simulate(world(), WAYS["random_once"], 0, [0.5, 6])
    assert last.minutes > first.minutes
    assert last.committee[0] > 0.8


def test_carried_labels_are_taught_beside_those_of_people() -> None:
    toy = world()
    toy.clips["shot"], toy.clips["start_sec"] = 0, toy.clips["start_sec"] / 3
    toy.clips["clip_id"] = [f"{row.video_id}:{round(row.start_sec * 1000)}" for row in toy.clips.itertuples()]
    counts = {}
    for way in ("random_once", "random_once_carried"):
        played = Campaign.begin(toy, WAYS[way], scored(toy, toy.heads), 1)
        played.round(1)
        (category,) = played.categories
        taught = dict(heads.labels(category, played.policy.carry_sec))
        own = {int(category.rows[clip]): sum(given) for clip, given in category.answers.items()}
        assert {row: taught[row] for row in own} == own
        counts[way] = len(taught) - len(own)
    assert counts["random_once"] == 0
    assert counts["random_once_carried"] > 0


def played(gains: Mapping[str, Mapping[int, float]], minutes: Mapping[str, float]) -> strategies.Played:
    """Return results after one budget in which a way gains so much in each world; others gain nothing."""
    return {
        way: {
            (at, crew): [
                State(
                    minutes=minutes.get(way, 3.0), member={1: 0.7, 0: 0.7},
                    committee={1: 0.6 + gains.get(way, {}).get(at, 0.0) + 0.001 * crew, 0: 0.6},
                )
            ]
            for at, crew in PAIRS
        }
        for way in WAYS
    }  # fmt: skip


def test_the_best_way_is_judged_where_it_was_not_chosen() -> None:
    lucky = {0: 0.2, 1: 0.2, 2: -0.1, 3: -0.1}
    later = {0: 0.0, 1: 0.0, 2: 0.3, 3: 0.3}
    found = figures(played({"coverage_once": lucky, "random_once": later}, {}), [3.0])
    assert found["gain_best_3"] == pytest.approx(-0.1)
    assert found["gain_random_once_3"] == pytest.approx(0.15)


def test_a_way_whose_pool_has_ended_has_no_figure_and_cannot_win() -> None:
    gain = {at: 0.2 for at in range(4)}
    found = figures(played({"coverage_once": gain}, {"coverage_once": 2.5}), [3.0])
    assert found["gain_coverage_once_3"] is None
    assert found["accuracy_coverage_once_3"] is None
    assert found["gain_best_3"] == pytest.approx(0.0)


def test_where_the_base_has_ended_there_is_no_gain_at_all() -> None:
    found = figures(played({}, {BASE: 2.5}), [3.0])
    assert [found[f"gain_best_3{end}"] for end in ("", "_low", "_high")] == [None, None, None]
    assert found["gain_random_once_3"] is None


def test_a_drawing_has_a_line_for_each_name() -> None:
    drawing = lines({"a<b": [(3, 0.01), (15, -0.02)], "c": [(3, 0.0)]}, across="minutes", up="gain")
    assert drawing.count("<polyline") == 2
    assert "a&lt;b" in drawing
