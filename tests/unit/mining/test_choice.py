from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.errors import BrokenContract
from slac_tasks.mining.choice import choose
from slac_tasks.mining.coverage import space
from slac_tasks.mining.pool import Pool, make_pool
from slac_tasks.mining.segments import Stretches
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
    assert Counter(choice.index >= 15 for choice in chosen) == {False: 6, True: 4}
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
    for score in (float("nan"), -0.1, 1.5):
        with pytest.raises(BrokenContract, match="unknown or outside 0 to 1"):
            pool(clips, np.array([[score]]))
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


def known_well(clips: list[str], shots: list[int] | None = None) -> Pool:
    """Return a pool in which every strategy has something to choose: all labels are doubted, and features are kept."""
    videos, starts = zip(*map(parse_clip_id, clips), strict=True)
    count = len(clips)
    rng = np.random.default_rng(0)
    return make_pool(
        pa.array(videos), np.array(starts), np.array(shots or [0] * count), rng.random((count, 3)), seed="s",
        at=space([rng.normal(size=(count, 4)).astype(np.float32)]), doubt=np.full(count, 0.9),
    )  # fmt: skip


ONE_AFTER_ANOTHER = list(
    pairwise((Strategy.CONTRADICTION, Strategy.DISAGREEMENT, Strategy.CONSENSUS, Strategy.COVERAGE,
              Strategy.UNSURE_COVERAGE))
)  # fmt: skip


@pytest.mark.parametrize("pair", ONE_AFTER_ANOTHER)
def test_a_videos_quota_and_the_gap_hold_over_all_strategies_together(pair: tuple[Strategy, Strategy]) -> None:
    wanted = dict.fromkeys(pair, 2)
    far_apart = known_well([clip_id("a", step * 3.0) for step in range(9)])
    assert len(choose(far_apart, wanted, knobs=KNOBS)) == KNOBS.clips_per_video
    beside_each_other = known_well([clip_id("a", step * 0.5) for step in range(4)])
    assert len(choose(beside_each_other, wanted, knobs=KNOBS)) == 1


def test_nothing_is_chosen_beside_a_set_of_a_segment() -> None:
    made = known_well([clip_id("a", step * 0.5) for step in range(21)])
    found = Stretches(
        video_id=["a"], start_sec=np.array([2.0]), end_sec=np.array([9.0]), score=np.array([0.9]), set_least=4,
        set_most=6,
    )  # fmt: skip
    knobs = Mining(clips_per_video=100, min_gap_sec=2.0)
    chosen = choose(made, {Strategy.SEGMENT: 6, Strategy.DISAGREEMENT: 20}, knobs=knobs, stretches=found)
    in_set = [made.start_ms[one.index] for one in chosen if one.of_segment is not None]
    others = [made.start_ms[one.index] for one in chosen if one.of_segment is None]
    assert len(in_set) == 6
    assert all(abs(one - other) >= 2000 for one in in_set for other in others)


@pytest.mark.parametrize("most", [Strategy.DISAGREEMENT, Strategy.COVERAGE])
def test_what_no_doubted_label_wants_goes_to_the_strategy_that_chooses_most(most: Strategy) -> None:
    made = known_well([clip_id(f"v{number}", 0.0) for number in range(30)])
    assert made.doubt is not None
    made.doubt[1:] = 0.1
    wanted = {Strategy.CONTRADICTION: 5, Strategy.DISAGREEMENT: 1, Strategy.COVERAGE: 1, most: 3}
    counts = Counter(choice.strategy for choice in choose(made, wanted, knobs=KNOBS))
    assert counts == {**wanted, Strategy.CONTRADICTION: 1, most: 7}


def test_a_neighbour_is_of_the_same_shot_and_at_most_so_far_away_and_is_a_companion_once() -> None:
    # The first and the last clip are chosen. Both are exactly `carry_sec` from the one between them.
    clips = [clip_id("a", 0.0), clip_id("a", KNOBS.carry_sec), clip_id("a", 2 * KNOBS.carry_sec)]

    def chosen(*shots: int) -> Counter[Strategy]:
        made = known_well(clips, list(shots))
        made.scores[:] = [[0.9, 0.9, 0.9], [0.1, 0.1, 0.1], [0.9, 0.9, 0.9]]
        wanted = {Strategy.CONSENSUS: 2, Strategy.COMPANION: 2}
        return Counter(choice.strategy for choice in choose(made, wanted, knobs=KNOBS))

    assert chosen(0, 0, 0) == {Strategy.CONSENSUS: 2, Strategy.COMPANION: 1}
    assert chosen(0, 1, 2) == {Strategy.CONSENSUS: 2}


def test_without_a_gap_no_clip_is_chosen_twice() -> None:
    made = known_well([clip_id("a", step * 0.5) for step in range(6)])
    knobs = Mining(clips_per_video=4, min_gap_sec=0.0)
    chosen = choose(made, {Strategy.DISAGREEMENT: 2, Strategy.CONSENSUS: 2, Strategy.COVERAGE: 2}, knobs=knobs)
    assert len({choice.index for choice in chosen}) == len(chosen) == 4
    wanted = {Strategy.CONTRADICTION: 1, Strategy.DISAGREEMENT: 1, Strategy.CONSENSUS: 1, Strategy.COVERAGE: 1}
    assert len(choose(known_well([clip_id("a", 0.0)]), wanted, knobs=knobs)) == 1


@pytest.mark.parametrize(
    ("strategy", "alone", "around", "held"),
    [
        (Strategy.CONSENSUS, (0.9, 0.9), (0.05, 0.05), (0.8, 0.8)),
        (Strategy.DISAGREEMENT, (0.99, 0.01), (0.01, 0.01), (0.95, 0.05)),
    ],
)
def test_a_clip_whose_neighbours_say_otherwise_gives_way_to_an_action_that_goes_on(
    strategy: Strategy, alone: tuple[float, ...], around: tuple[float, ...], held: tuple[float, ...]
) -> None:
    clips = [clip_id(video, step * 0.5) for video in ("flicker", "held") for step in range(3)]
    scores = np.array([around, alone, around, held, held, held])
    (first,) = choose(pool(clips, scores), {strategy: 1}, knobs=KNOBS)
    assert clips[first.index].startswith("held")


def test_a_companion_may_be_as_far_away_as_answers_are_carried() -> None:
    clips = [clip_id("a", step * 0.5) for step in range(21)]
    made = known_well(clips)
    chosen = choose(
        made, {Strategy.DISAGREEMENT: 1, Strategy.COMPANION: 1}, knobs=Mining(carry_sec=10.0, min_gap_sec=0.5),
        asked=clips[1:-1],
    )  # fmt: skip
    assert {clips[choice.index] for choice in chosen} == {clips[0], clips[-1]}


def test_what_was_asked_of_videos_that_are_no_more_says_nothing_and_what_is_a_gap_away_may_be_chosen() -> None:
    clips = [clip_id("a", 0.0), clip_id("a", KNOBS.min_gap_sec)]
    asked = [clips[0], clip_id("gone", 0.0)]
    chosen = choose(known_well(clips), {Strategy.DISAGREEMENT: 2}, knobs=KNOBS, asked=asked)
    assert [clips[choice.index] for choice in chosen] == [clips[1]]


def test_doubt_and_features_stay_with_their_clip_in_whatever_order_clips_come() -> None:
    clips = [clip_id(f"v{number}", 0.0) for number in range(6)]
    rng = np.random.default_rng(0)
    scores, doubt, at = rng.random((6, 2)), np.array([0.9, 0.1, 0.8, 0.2, 0.3, 0.1]), rng.normal(size=(6, 4))

    def made(order: list[int]) -> Pool:
        videos = pa.array([parse_clip_id(clips[row])[0] for row in order])
        return make_pool(
            videos, np.zeros(6), np.zeros(6, int), scores[order], seed="s", doubt=doubt[order],
            at=space([at[order].astype(np.float32)]),
        )  # fmt: skip

    def chosen(order: list[int]) -> list[tuple[Strategy, str]]:
        wanted = {Strategy.CONTRADICTION: 2, Strategy.COVERAGE: 2}
        return [(one.strategy, clips[order[one.index]]) for one in choose(made(order), wanted, knobs=KNOBS)]

    first, turned = [0, 1, 2, 3, 4, 5], [4, 2, 5, 0, 3, 1]
    assert [name for strategy, name in chosen(first) if strategy is Strategy.CONTRADICTION] == [clips[0], clips[2]]
    assert chosen(turned) == chosen(first)
    assert made(turned).videos == made(first).videos
    assert made(turned).draw.tolist() == made(first).draw.tolist()
