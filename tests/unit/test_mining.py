from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.config import Mining
from slac_tasks.mining import choose, consensus, disagreement
from slac_tasks.model import Strategy, clip_id, parse_clip_id

KNOBS = Mining(clips_per_round=12, disagreement=0.5, consensus=0.25, clips_per_video=3, min_gap_sec=2.0)


def test_disagreement_is_zero_where_members_say_the_same_and_one_bit_where_they_are_opposites() -> None:
    scores = np.array([[0.5, 0.5], [0.9, 0.9], [0.0, 1.0], [0.2, 0.8]])
    found = disagreement(scores)
    assert found[:2] == pytest.approx([0, 0])
    assert found[2] == pytest.approx(1)
    # entropy of the mean 0.5 is 1 bit; of 0.2 and 0.8 each 0.7219 bit
    assert found[3] == pytest.approx(1 - 0.7219, abs=1e-4)


def test_consensus_is_the_mean_of_log_odds_so_one_objection_counts() -> None:
    found = consensus(np.array([[0.9, 0.9], [0.9, 0.5], [0.9, 0.1], [0.0, 1.0]]))
    # odds 9 and 1: sqrt(9) = 3, so 3 / 4
    assert found == pytest.approx([0.9, 0.75, 0.5, 0.5])


@st.composite
def scored(draw: st.DrawFn) -> tuple[list[str], np.ndarray, frozenset[str]]:
    places = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 20)), unique=True, max_size=60))
    clips = [clip_id(f"v{video}", step * 0.5) for video, step in places]
    seed = draw(st.integers(0, 2**32 - 1))
    scores = np.random.default_rng(seed).random((len(clips), 3))
    asked = frozenset(draw(st.lists(st.sampled_from(clips), max_size=5))) if clips else frozenset()
    return clips, scores, asked


@settings(max_examples=60, deadline=None)
@given(scored())
def test_quotas_gaps_and_earlier_questions_hold_and_order_means_nothing(
    case: tuple[list[str], np.ndarray, frozenset[str]],
) -> None:
    clips, scores, asked = case
    chosen = choose(clips, scores, knobs=KNOBS, seed="s", asked=asked)
    names = [clips[choice.index] for choice in chosen]
    assert len(set(names)) == len(names) <= KNOBS.clips_per_round
    assert not set(names) & asked
    by_video: dict[str, list[float]] = {}
    for name in names:
        video, start = parse_clip_id(name)
        by_video.setdefault(video, []).append(start)
    earlier = [parse_clip_id(name) for name in asked]
    for video, starts in by_video.items():
        assert len(starts) <= KNOBS.clips_per_video
        everything = sorted([*starts, *(start for other, start in earlier if other == video)])
        mine = set(starts)
        for a, b in pairwise(everything):
            assert b - a >= KNOBS.min_gap_sec or not {a, b} & mine
    assert sum(choice.strategy is Strategy.DISAGREEMENT for choice in chosen) <= 6
    turned = list(range(len(clips)))[::-1]
    again = choose([clips[i] for i in turned], scores[turned], knobs=KNOBS, seed="s", asked=asked)
    assert {(clips[turned[c.index]], c.strategy) for c in again} == {(clips[c.index], c.strategy) for c in chosen}


def test_the_random_slice_does_not_look_at_scores() -> None:
    clips = [clip_id(f"v{number}", 0.0) for number in range(40)]
    rng = np.random.default_rng(0)
    first, second = (
        {clips[c.index] for c in choose(clips, rng.random((40, 3)), knobs=KNOBS, seed="s") if c.strategy == "random"}
        for _ in range(2)
    )
    assert first == second
    assert len(first) == 3
