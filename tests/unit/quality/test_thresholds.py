"""Thresholds are passed no more often than alpha allows, however often and at whatever labels one looks."""

import numpy as np
import pytest

from slac_tasks.quality.thresholds import CONTROL_ALPHA, THRESHOLDS, Control, Way, smallest, spent


def control(confidence: list[float], wrong: list[bool]) -> Control:
    return Control.of(np.array(confidence), np.array(wrong, dtype=bool), np.ones(len(wrong)), 1.0)


def test_a_clip_counts_at_every_threshold_that_it_reaches() -> None:
    counted = control([1.0, 0.98, 0.979, 0.1], [False, True, False, True])
    assert dict(zip(THRESHOLDS, counted.clips[:, 0], strict=True)) == {
        0.995: 1, 0.98: 2, 0.95: 3, 0.93: 3, 0.9: 3, 0.87: 3, 0.8: 3, 0.7: 3, 0.0: 4,
    }  # fmt: skip
    assert counted.sample.wrong[:, 0].tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 2]


def test_the_laxest_threshold_that_is_good_enough_is_found_past_strict_ones_with_few_clips() -> None:
    sure, unsure = [0.96] * 300, [0.5] * 300
    counted = control(sure + unsure, [False] * 300 + [False, True] * 150)
    place, _ = counted.walk(0.05, CONTROL_ALPHA)
    assert place is not None
    assert THRESHOLDS[place] == 0.7
    assert control(sure, [False] * 300).walk(0.0, CONTROL_ALPHA)[0] is None, "nothing is left for disagreement"


def test_clips_more_are_spread_like_those_that_there_are_and_are_never_more_than_so_many() -> None:
    confidence, wrong = np.array([1.0, 0.96, 0.5, 0.5, 0.5]), np.zeros(5, dtype=bool)
    counted = Control.of(confidence, wrong, np.array([1.0, 1.0, 1.0, 4.0, 4.0]), 4.0)
    more = counted.with_more(4).clips - counted.clips
    assert more[-1].tolist() == [2, 1]
    assert more[0].tolist() == [0, 0]


def test_the_shares_of_alpha_are_no_more_than_all_of_it() -> None:
    _, alphas = control([], []).walk(0.05, 1.0)
    assert alphas.sum() == pytest.approx(1.0)
    assert alphas.min() >= 0


def test_a_threshold_that_passes_hands_on_its_share() -> None:
    _, alphas = control([1.0] * 1000, [False] * 1000).walk(0.05, 0.02)
    assert alphas[-1] == pytest.approx(0.02)
    _, alphas = control([1.0] * 1000, [True] * 1000).walk(0.05, 0.02)
    assert alphas.sum() == pytest.approx(0.02)


def test_ways_of_labelling_never_have_more_than_alpha_together() -> None:
    assert sum(spent(0.025, ordinal) for ordinal in range(1, 10_000)) < 0.025


def test_a_look_at_too_few_clips_spends_nothing() -> None:
    few, many = control([1.0] * 10, [False] * 10), control([1.0] * 500, [True] * 500)
    assert Way().after(few, 0.04) == Way()
    way = Way().after(many, 0.04)
    assert way == Way(rules=1, judged=True)
    assert way.after(many, 0.04) == way, "the same way is judged once"
    assert way.next.after(many, 0.04) == Way(rules=2, judged=True)
    assert way.next.after(few, 0.04).alpha == spent(CONTROL_ALPHA, 2)


def test_labels_that_are_as_wrong_as_allowed_are_hardly_ever_certified_whatever_is_looked_at() -> None:
    """Twenty looks at a control that grows: at labels that stay, and at labels that are new each time."""
    chance = np.random.default_rng(1)
    clips, error, replays = 600, 0.05, 400
    fooled = {"the same": 0, "new ones": 0}
    for name in fooled:
        for _ in range(replays):
            confidence, wrong = chance.choice(THRESHOLDS, clips), chance.random(clips) < error
            way = Way()
            for seen in range(30, clips + 1, 30):
                if name == "new ones":
                    wrong, way = chance.random(clips) < error, way.next
                counted = Control.of(confidence[:seen], wrong[:seen], np.ones(seen), 1.0)
                way = way.after(counted, error)
                if counted.passes(error, way.alpha):
                    fooled[name] += 1
                    break
    assert all(count / replays <= CONTROL_ALPHA for count in fooled.values()), fooled


def test_the_smallest_number_is_found() -> None:
    assert [smallest(lambda count, least=least: count >= least) for least in (0, 1, 2, 77, 4096)] == [0, 1, 2, 77, 4096]
    assert smallest(lambda count: False) is None
