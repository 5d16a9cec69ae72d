"""Answers that are carried along a shot, and what all answers together say of a clip."""

from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.networks.features import Features
from slac_tasks.verification import peoples_model
from slac_tasks.verification.ballots import Floats
from slac_tasks.verification.carrying import (
    CARRIED,
    IMPORTED,
    KINDS,
    MODEL,
    PEOPLE,
    REDRAWN_PER_SEC,
    Abilities,
    Clips,
    carried,
    joined_features,
    spread,
    within_reach,
)
from slac_tasks.verification.peoples_model import SUREST, Taught

GOOD = Abilities(sensitivity=0.9, specificity=0.9)


def clips(videos: int = 1, each: int = 12, shots: int = 1, numbers: int = 0, seed: int = 0) -> Clips:
    """Clips of a half-second grid; shots divide each video evenly."""
    count = videos * each
    place = np.arange(count) % each
    rng = np.random.default_rng(seed)
    return Clips(
        video=np.arange(count) // each, shot=place * shots // each, start_ms=place * 500,
        features=rng.normal(size=(count, numbers)).astype(np.float32), committee=np.zeros(count),
    )  # fmt: skip


def answers(count: int, **at: int) -> Floats:
    """Log-odds of single answers: `_3=+1` is a yes to clip 3."""
    own = np.zeros(count)
    for name, sign in at.items():
        own[int(name[1:])] = GOOD.weigh(np.array([int(sign > 0)]), np.array([int(sign < 0)]))[0]
    return own


def test_an_answer_reaches_the_clips_of_its_shot_within_the_reach() -> None:
    answered, shared = within_reach(clips(each=12, shots=2), answers(12, _4=1), 1000)
    assert answered.tolist() == [0, 0, 1, 1, 0, 1] + [0] * 6
    assert shared[[2, 3, 5]].tolist() == [3, 3, 3]


def test_what_an_answer_says_weakens_with_the_distance_and_ends_with_the_shot() -> None:
    near = carried(clips(each=12, shots=2), answers(12, _4=1))
    assert near[3] == pytest.approx(near[5])
    assert near[3] > near[2] > near[1] > near[0] > 0
    assert not near[4]
    assert not near[6:].any()


def test_two_answers_that_agree_make_what_lies_between_them_nearly_sure() -> None:
    between, beside = carried(clips(), answers(12, _2=1, _6=1))[[4, 8]]
    assert between > beside > 0


def test_answers_that_contradict_each_other_cancel_between_them() -> None:
    everything, own = clips(videos=3), answers(36, _2=1, _4=-1, _14=1, _16=-1, _26=1, _28=-1)
    assert within_reach(everything, own, 1000)[0][3] == 2
    assert carried(everything, own)[3] == pytest.approx(0)


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=6, max_size=6), st.lists(st.integers(1, 3000), min_size=5))
def test_what_is_carried_is_what_all_courses_of_the_shot_together_say(said: list[int], apart_ms: list[int]) -> None:
    """Against every one of the 2^6 courses that a shot of six clips can take; the action is as frequent as not."""
    start_ms = np.cumsum([0, *apart_ms[:5]])
    own = answers(6, **{f"_{place}": sign for place, sign in enumerate(said) if sign})
    shot = Clips(
        video=np.zeros(6, dtype=np.int64), shot=np.zeros(6, dtype=np.int64), start_ms=start_ms,
        features=np.zeros((6, 0), np.float32), committee=np.zeros(6),
    )  # fmt: skip
    goes_on = np.exp(-REDRAWN_PER_SEC * np.diff(start_ms) / 1000)
    weight = np.zeros((6, 2))
    for course in product((0, 1), repeat=6):
        steps = [stay + (1 - stay) / 2 if one == other else (1 - stay) / 2
                 for stay, one, other in zip(goes_on, course, course[1:], strict=False)]  # fmt: skip
        for place in range(6):
            others = sum(own[other] * course[other] for other in range(6) if other != place)
            weight[place, course[place]] += np.prod(steps) * np.exp(others)
    assert carried(shot, own) == pytest.approx(np.log(weight[:, 1] / weight[:, 0]), abs=1e-9)


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=24, max_size=24), st.integers(0, 4000))
def test_what_is_carried_to_a_clip_never_comes_from_itself_nor_from_another_shot(said: list[int], reach: int) -> None:
    everything = clips(videos=2, each=12, shots=3)
    own = answers(24, **{f"_{place}": sign for place, sign in enumerate(said) if sign})
    near, (answered, _) = carried(everything, own), within_reach(everything, own, reach)
    for place in range(24):
        others = [
            other for other in np.flatnonzero(own).tolist()
            if other != place and everything.video[other] == everything.video[place]
            and everything.shot[other] == everything.shot[place]
        ]  # fmt: skip
        within = [other for other in others if abs(everything.start_ms[other] - everything.start_ms[place]) <= reach]
        assert answered[place] == (len(within) if reach else 0)
        assert others or near[place] == pytest.approx(0)
        turned = own.copy()
        turned[place] = -own[place]
        assert carried(everything, turned)[place] == pytest.approx(near[place])
    order = np.random.default_rng(1).permutation(24)
    mixed = Clips(
        video=everything.video[order], shot=everything.shot[order], start_ms=everything.start_ms[order],
        features=everything.features[order], committee=everything.committee[order],
    )  # fmt: skip
    assert carried(mixed, own[order]) == pytest.approx(near[order])


def test_a_label_has_the_kind_of_the_strongest_thing_that_speaks() -> None:
    everything = clips(videos=2, each=6)
    said = spread(everything, answers(12, _2=-1), 0.5, teaches=np.ones(12, dtype=bool))
    assert [KINDS[kind] for kind in said.kind] == [MODEL, CARRIED, PEOPLE, CARRIED] + [MODEL] * 8
    assert not said.positive[2]
    assert said.confidence[2] > said.confidence[1] > 0.5


def test_an_imported_label_stands_where_nobody_answered_and_teaches_no_other_clip() -> None:
    own, imported = answers(12, _2=-1), np.zeros(12)
    imported[[1, 2, 7]] = [-3.0, 3.0, 2.0]
    every = np.ones(12, dtype=bool)
    plain = spread(clips(videos=2, each=6), own, 0.5, teaches=every)
    said = spread(clips(videos=2, each=6), own, 0.5, teaches=every, imported=imported)
    assert [KINDS[kind] for kind in said.kind[:4]] == [MODEL, IMPORTED, PEOPLE, CARRIED]
    assert said.positive[[1, 2, 7]].tolist() == [False, False, True]
    assert said.confidence[1] == pytest.approx(1 / (1 + np.exp(-3.0)))
    rest = [place for place in range(12) if place not in (1, 7)]
    assert (said.confidence[rest] == plain.confidence[rest]).all()
    assert (said.others == plain.others).all()


def test_an_answer_that_all_else_contradicts_stands_and_is_not_believed() -> None:
    own = answers(12, _3=1, _4=-1, _5=1)
    said = spread(clips(), own, 1.0, teaches=np.zeros(12, dtype=bool))
    assert not said.positive[4]
    assert said.confidence[4] < 0.5 < said.confidence[3]


def test_the_model_says_of_a_clip_what_other_videos_teach() -> None:
    """Turning round every answer to a video changes nothing that the model says of that video."""
    rng = np.random.default_rng(0)
    video = np.repeat(np.arange(20), 5)
    features: Features = rng.normal(size=(100, 4)).astype(np.float32)
    positive = features[:, 0] > 0
    taught = Taught(row=np.arange(100), positive=positive, weight=np.ones(100))
    before = peoples_model.log_odds(features, np.zeros(100), video, taught)
    turned = Taught(row=np.arange(100), positive=positive ^ (video == 7), weight=np.ones(100))
    after = peoples_model.log_odds(features, np.zeros(100), video, turned)
    assert ((before > 0) == positive).mean() > 0.8
    # The penalty is chosen by all answers; with the same one nothing of the video has a say.
    assert after[video == 7] == pytest.approx(before[video == 7], abs=0.5)
    assert (np.sign(after[video == 7]) == np.sign(before[video == 7])).all()
    assert abs(before).max() <= SUREST


def test_without_answers_the_model_knows_nothing() -> None:
    nothing = Taught(row=np.zeros(0, dtype=np.int64), positive=np.zeros(0, dtype=bool), weight=np.zeros(0))
    said = peoples_model.log_odds(np.zeros((6, 2), np.float32), np.arange(6.0), np.arange(6), nothing)
    assert said == pytest.approx(np.zeros(6))


def test_people_weigh_by_how_good_they_are() -> None:
    people = pa.table({"answers": [300, 100], "sensitivity": [0.9, 0.5], "specificity": [0.95, 0.95]})
    average = Abilities.of(people)
    assert (average.sensitivity, average.specificity) == (pytest.approx(0.8), pytest.approx(0.95))
    yes, no = average.weigh(np.array([1, 0]), np.array([0, 1]))
    assert (yes, no) == (pytest.approx(np.log(16)), pytest.approx(-np.log(4.75)))
    assert Abilities.of(people.slice(0, 0)) == Abilities(sensitivity=0.9, specificity=0.9)


def test_features_of_members_weigh_alike_and_those_that_some_window_lacks_are_left_out() -> None:
    rng = np.random.default_rng(0)
    first = {"a": rng.normal(size=(3, 2)).astype(np.float32), "b": rng.normal(size=(3, 5)).astype(np.float32) * 100}
    second = {"b": rng.normal(size=(4, 5)).astype(np.float32) * 100, "a": rng.normal(size=(4, 2)).astype(np.float32)}
    joined = joined_features([first, second], 7)
    assert (joined[:, :2] ** 2).sum(axis=1).mean() == pytest.approx(1, rel=1e-4)
    assert (joined[:, 2:] ** 2).sum(axis=1).mean() == pytest.approx(1, rel=1e-4)
    assert joined_features([first, {"a": second["a"]}], 7).shape == (7, 2)
    assert joined_features([first, {}], 7).shape == (7, 0)
