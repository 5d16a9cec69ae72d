"""The plan of a rehearsal: how many videos, of which takes, how many of them wrong, and when."""

from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.admission.settings import Admission
from slac_tasks.model import Split, Window, split_at
from slac_tasks.world.joins import LEAST_SEC, MOST_SEC, Join, plan
from slac_tasks.world.takes import MOST_PLAY_SEC, POINTS, Footage, Take, dealt, parts_of, rehearsed

CLASSES = ("other", "plank", "row", "squat")


def planned(seed: int, videos: int, wrong: float, takes: int, series: int) -> list[Join]:
    found = [
        Take(
            name=f"{action}/{name}__{number}.mp4", path=Path(f"/{action}/{name}__{number}.mp4"), action=action,
            series=str(name), seconds=1.0 + 2.7 * number,
        )
        for name in range(series) for action in CLASSES[name % 2 :] for number in range(takes)
    ]  # fmt: skip
    footage = Footage(takes=tuple(found), backgrounds=frozenset({"other"}), set_aside={})
    parts = parts_of(found, seed)
    actions = rehearsed(footage, parts)
    return plan(
        dealt(parts, actions, seed), actions, footage.backgrounds, seed=seed, videos=videos, wrong=wrong
    )  # fmt: skip


PLANS = st.builds(
    planned, seed=st.integers(0, 9), videos=st.integers(3, 14), wrong=st.floats(0, 0.9), takes=st.integers(3, 6),
    series=st.integers(4, 7),
)  # fmt: skip


@settings(max_examples=40)
@given(PLANS)
def test_a_video_joins_takes_of_one_part(joins: list[Join]) -> None:
    for each in joins:
        assert {piece.take.name for piece in each.pieces} <= {take.name for take in each.part.takes}


@settings(max_examples=40)
@given(PLANS)
def test_most_of_a_video_is_something_else_and_no_take_is_played_twice(joins: list[Join]) -> None:
    for each in joins:
        seconds = sum(piece.seconds for piece in each.pieces)
        acted = sum(p.seconds for p in each.pieces if p.take.action == each.category and not p.still_sec)
        assert LEAST_SEC <= seconds <= MOST_SEC + MOST_PLAY_SEC
        assert acted <= seconds / 2
        played = Counter(piece.take.name for piece in each.pieces if not piece.still_sec)
        assert max(played.values(), default=1) == 1  # with few takes all of a video may stand still


@settings(max_examples=40)
@given(st.integers(0, 9), st.integers(3, 14), st.floats(0, 0.9))
def test_so_many_are_wrong_in_each_class_and_each_week(seed: int, videos: int, wrong: float) -> None:
    joins = planned(seed, videos, wrong, takes=4, series=5)
    assert {each.category for each in joins} == {"plank", "row", "squat"}
    assert len({each.source_id for each in joins}) == len(joins)
    for category in {each.category for each in joins}:
        own = [each for each in joins if each.category == category]
        assert len(own) == videos
        assert sum(each.is_wrong for each in own) == round(videos * wrong)
        for is_wrong in (True, False):
            weeks = Counter(Window.of(each.published_at) for each in own if each.is_wrong is is_wrong)
            counts = [weeks[Window.parse(key)] for key in ("2026-01-05", "2026-01-12", "2026-01-19")]
            assert max(counts) - min(counts) <= 1


@settings(max_examples=40)
@given(st.integers(0, 99))
def test_each_class_is_shown_to_those_who_learn_and_to_those_who_test(seed: int) -> None:
    rules = Admission()
    joins = planned(seed, 5, 0.3, takes=4, series=9)
    for category in {each.category for each in joins}:
        points = {each.part.point for each in joins if each.category == category and not each.is_wrong}
        splits = {
            split_at(point / POINTS, validation_share=rules.validation_share, testing_share=rules.testing_share)
            for point in points
        }
        assert {Split.TRAINING, Split.TESTING} <= splits


def test_a_plan_is_a_function_of_its_seed() -> None:
    assert planned(1, 6, 0.3, 4, 5) == planned(1, 6, 0.3, 4, 5)
    assert planned(1, 6, 0.3, 4, 5) != planned(2, 6, 0.3, 4, 5)


def test_a_picture_is_held_where_there_is_no_background() -> None:
    takes = [
        Take(name=f"{action}/{s}__{n}", path=Path("/x"), action=action, series=str(s), seconds=4.0)
        for s in range(3) for action in ("plank", "squat") for n in range(4)
    ]  # fmt: skip
    parts = dealt(parts_of(takes, 0), ["plank", "squat"], 0)
    joins = plan(parts, ["plank", "squat"], frozenset({"other"}), seed=0, videos=3, wrong=0.3)
    assert any(piece.still_sec for each in joins for piece in each.pieces)
