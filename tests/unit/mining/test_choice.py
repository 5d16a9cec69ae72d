from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.errors import BrokenContract
from slac_tasks.mining.choice import choose
from slac_tasks.mining.pool import Pool, make_pool
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Strategy, clip_id, parse_clip_id

KNOBS = Mining(clips_per_video=3, min_gap_sec=2.0)
WANTED = {Strategy.RANDOM: 3, Strategy.DISAGREEMENT: 6, Strategy.CONSENSUS: 3, Strategy.ENTROPY: 2}


def pool(clips: list[str], scores: np.ndarray, seed: str = "s") -> Pool:
    videos, starts = zip(*map(parse_clip_id, clips), strict=True) if clips else ((), ())
    shots = np.zeros(len(clips), dtype=np.int64)
    return make_pool(pa.array(videos, pa.string()), np.array(starts, dtype=float), shots, scores, seed=seed)


@st.composite
def scored(draw: st.DrawFn) -> tuple[list[str], np.ndarray, frozenset[str]]:
    places = draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 20)), unique=True, max_size=60))
    clips = [clip_id(f"v{video}", step * 0.5) for video, step in places]
    seed = draw(st.integers(0, 2**32 - 1))
    # Rounded, so that there are ties.
    scores = np.random.default_rng(seed).random((len(clips), 3)).round(1)
    asked = frozenset(draw(st.lists(st.sampled_from(clips), max_size=5))) if clips else frozenset()
    return clips, scores, asked


@settings(max_examples=60)
@given(scored())
def test_quotas_gaps_and_earlier_questions_hold_and_order_means_nothing(
    case: tuple[list[str], np.ndarray, frozenset[str]],
) -> None:
    clips, scores, asked = case
    chosen = choose(pool(clips, scores), WANTED, knobs=KNOBS, asked=asked)
    names = [clips[choice.index] for choice in chosen]
    assert len(set(names)) == len(names)
    assert not set(names) & asked
    by_video: dict[str, list[float]] = {}
    for name in (clips[choice.index] for choice in chosen if choice.strategy is not Strategy.RANDOM):
        video, start = parse_clip_id(name)
        by_video.setdefault(video, []).append(start)
    earlier = [parse_clip_id(name) for name in asked]
    for video, starts in by_video.items():
        assert len(starts) <= KNOBS.clips_per_video
        everything = sorted([*starts, *(start for other, start in earlier if other == video)])
        mine = set(starts)
        for a, b in pairwise(everything):
            assert b - a >= KNOBS.min_gap_sec or not {a, b} & mine
    counts = Counter(choice.strategy for choice in chosen)
    assert all(counts[strategy] <= most for strategy, most in WANTED.items())
    turned = list(range(len(clips)))[::-1]
    again = choose(pool([clips[i] for i in turned], scores[turned]), WANTED, knobs=KNOBS, asked=asked)
    assert {(clips[turned[c.index]], c.strategy) for c in again} == {(clips[c.index], c.strategy) for c in chosen}


@settings(max_examples=40)
@given(scored())
def test_the_vectors_choose_what_one_clip_after_another_would(
    case: tuple[list[str], np.ndarray, frozenset[str]],
) -> None:
    """The best clip is taken, its video's others lose value and its neighbours are out; and again."""
    clips, scores, _ = case
    knobs = Mining(clips_per_video=3, min_gap_sec=2.0, diversity=0.5, coherence_sec=0.0)
    made = pool(clips, scores)
    chosen = choose(made, {Strategy.CONSENSUS: 8}, knobs=knobs)
    draw = dict(zip(made.row.tolist(), made.draw.tolist(), strict=True))
    worth = {c.index: c.value for c in choose(made, {Strategy.CONSENSUS: 60}, knobs=knobs)}
    values = {row: value for row, value in worth.items() if value is not None}
    taken: list[int] = []
    for choice in chosen:
        video, start = parse_clip_id(clips[choice.index])
        before = sum(parse_clip_id(clips[row])[0] == video for row in taken)
        assert all(
            abs(start - parse_clip_id(clips[row])[1]) >= 2.0 for row in taken if parse_clip_id(clips[row])[0] == video
        )
        own = (-values[choice.index] * 0.5**before, draw[choice.index])
        for row in set(values) - set(taken) - {choice.index}:
            other, _ = parse_clip_id(clips[row])
            seen = sum(parse_clip_id(clips[held])[0] == other for held in taken)
            if other != video:
                rival = (-values[row] * 0.5**seen, draw[row])
                assert own[0] <= rival[0] + 1e-12
        taken.append(choice.index)


def test_the_random_slice_does_not_look_at_scores() -> None:
    clips = [clip_id(f"v{number}", 0.0) for number in range(40)]
    rng = np.random.default_rng(0)
    first, second = (
        [c for c in choose(pool(clips, rng.random((40, 3))), WANTED, knobs=KNOBS) if c.strategy == "random"]
        for _ in range(2)
    )
    assert [c.index for c in first] == [c.index for c in second]
    assert len(first) == 3
    assert all(c.value is None and c.measures.disagreement >= 0 for c in first)


@settings(max_examples=40)
@given(scored())
def test_the_random_control_and_what_is_chosen_do_not_know_of_each_other(
    case: tuple[list[str], np.ndarray, frozenset[str]],
) -> None:
    """The control is the first of all unasked clips by lot; clips that are drawn keep no other away from them."""
    clips, scores, asked = case
    everything = pool(clips, scores)
    control = [c.index for c in choose(everything, WANTED, knobs=KNOBS, asked=asked) if c.strategy is Strategy.RANDOM]
    by_lot = [row for row in everything.row[np.argsort(everything.draw)].tolist() if clips[row] not in asked]
    assert control == by_lot[: WANTED[Strategy.RANDOM]]
    alone = choose(everything, {**WANTED, Strategy.RANDOM: 0}, knobs=KNOBS)
    beside = choose(everything, {**WANTED, Strategy.RANDOM: 0}, knobs=KNOBS, asked=asked, drawn=asked)
    first = {choice.index for choice in alone[:1]}
    if first and clips[alone[0].index] not in asked:
        assert {choice.index for choice in beside[:1]} == first


def test_the_draw_is_even_over_clips_and_differs_by_seed() -> None:
    clips = [clip_id(f"v{number % 50}", number // 50 * 0.5) for number in range(5000)]
    draw, other = (pool(clips, np.zeros((5000, 1)), seed=seed).draw for seed in ("a", "b"))
    assert np.histogram(draw, bins=10, range=(0, 1))[0] == pytest.approx([500] * 10, abs=80)
    assert len(np.unique(draw)) == 5000
    assert abs(np.corrcoef(draw, other)[0, 1]) < 0.05


def test_a_video_that_is_chosen_already_gives_way_to_another() -> None:
    clips = [clip_id("a", 0.0), clip_id("a", 5.0), clip_id("b", 0.0)]
    scores = np.array([[0.9, 0.9], [0.8, 0.8], [0.6, 0.6]])

    def order(diversity: float) -> list[str]:
        knobs = Mining(diversity=diversity)
        return [clips[c.index] for c in choose(pool(clips, scores), {Strategy.CONSENSUS: 3}, knobs=knobs)]

    assert order(1.0) == ["a:0", "a:5000", "b:0"]
    # 0.8 x 0.7 = 0.56, below 0.6
    assert order(0.7) == ["a:0", "b:0", "a:5000"]


def test_one_pattern_of_votes_does_not_fill_the_disagreement() -> None:
    clips = [clip_id(f"v{number}", 0.0) for number in range(20)]
    scores = np.array([[0.9, 0.1]] * 15 + [[0.2, 0.8]] * 5)
    chosen = choose(pool(clips, scores), {Strategy.DISAGREEMENT: 10}, knobs=Mining(max_pattern_share=0.6))
    assert sum(choice.index >= 15 for choice in chosen) >= 3
    # Nothing else left: the pattern may fill what it can.
    assert len(choose(pool(clips[:15], scores[:15]), {Strategy.DISAGREEMENT: 10}, knobs=KNOBS)) == 10


def test_entropy_asks_the_member_that_is_named() -> None:
    clips = [clip_id("a", 0.0), clip_id("b", 0.0)]
    scores = np.array([[0.5, 0.0], [0.0, 0.5]])
    first = choose(pool(clips, scores), {Strategy.ENTROPY: 1}, knobs=KNOBS, entropy_of=0)
    second = choose(pool(clips, scores), {Strategy.ENTROPY: 1}, knobs=KNOBS, entropy_of=1)
    assert [c.index for c in first + second] == [0, 1]


def test_what_cannot_be_mined_is_refused() -> None:
    clips = [clip_id("a", 0.0)]
    with pytest.raises(BrokenContract, match="unknown or outside 0 to 1"):
        pool(clips, np.array([[float("nan")]]))
    assert choose(pool([], np.empty((0, 2))), WANTED, knobs=KNOBS) == []


@given(scored(), st.integers(0, 12))
def test_a_companion_is_a_neighbour_of_a_chosen_clip_that_nobody_was_asked(
    found: tuple[list[str], np.ndarray, frozenset[str]], count: int
) -> None:
    clips, scores, asked = found
    everything = pool(clips, scores)
    wanted = {Strategy.DISAGREEMENT: 5, Strategy.RANDOM: 2, Strategy.COMPANION: count}
    chosen = choose(everything, wanted, knobs=KNOBS, asked=asked)
    names = {choice.index: clips[choice.index] for choice in chosen}
    assert len(names) == len(chosen)
    assert not set(names.values()) & asked
    sources = [names[choice.index] for choice in chosen if choice.strategy is Strategy.DISAGREEMENT]
    near = [parse_clip_id(name) for name in sources]
    companions = [names[choice.index] for choice in chosen if choice.strategy is Strategy.COMPANION]
    assert len(companions) <= min(count, len(sources))
    for video, start in map(parse_clip_id, companions):
        assert any(video == other and abs(start - at) <= KNOBS.carry_sec for other, at in near)
    # Where fewer are found than wanted, each source that has a free neighbour left has got one.
    free = [parse_clip_id(name) for index, name in enumerate(clips) if index not in names and name not in asked]
    left = sum(any(video == other and abs(start - at) < KNOBS.carry_sec for other, at in free) for video, start in near)
    assert len(companions) == count or left <= len(companions)


def test_clips_with_doubted_labels_come_first_after_the_control_and_no_other_clip_is_one_of_them() -> None:
    clips = [clip_id(f"v{video}", step * 3.0) for video in range(8) for step in range(3)]
    videos, starts = zip(*map(parse_clip_id, clips), strict=True)
    scores = np.random.default_rng(0).random((len(clips), 3))
    doubt = np.linspace(0.2, 0.9, len(clips))
    made = make_pool(
        pa.array(videos, pa.string()), np.array(starts), np.zeros(len(clips), np.int64), scores, seed="s", doubt=doubt
    )
    chosen = choose(made, {**WANTED, Strategy.CONTRADICTION: 20}, knobs=KNOBS)
    of = [choice.strategy for choice in chosen]
    control = of.count(Strategy.RANDOM)
    doubted = [choice for choice in chosen if choice.strategy is Strategy.CONTRADICTION]
    assert chosen[control : control + len(doubted)] == doubted
    assert [choice.value for choice in doubted] == sorted((doubt[choice.index] for choice in doubted), reverse=True)
    drawn = {choice.index for choice in chosen if choice.strategy is Strategy.RANDOM}
    assert {choice.index for choice in doubted} == set(np.flatnonzero(doubt > 0.5).tolist()) - drawn
    assert Strategy.CONTRADICTION not in {
        choice.strategy for choice in choose(pool(clips, scores), WANTED, knobs=KNOBS)
    }
