"""Takes: whose series they are, and how series become parts and parts are dealt to the splits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning_world import draw

from slac_tasks.admission.settings import Admission
from slac_tasks.errors import BrokenContract
from slac_tasks.model import Split, split_at
from slac_tasks.world.takes import (
    LEAST_PLAY_SEC,
    MOST_PLAY_SEC,
    POINTS,
    Footage,
    Take,
    dealt,
    parts_of,
    read_footage,
    rehearsed,
    series_of,
    shares,
)

ROWS = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["squat", "plank", "other"]), st.floats(0.5, 40))
TAKES = st.lists(ROWS, min_size=1, max_size=60).map(
    lambda rows: [take(series, action, number, seconds) for number, (series, action, seconds) in enumerate(rows)]
)


def take(series: str, action: str, number: int = 0, seconds: float = 5.0) -> Take:
    name = f"{action}/{series}__{number}.mp4"
    return Take(name=name, path=Path("/takes") / name, action=action, series=series, seconds=seconds)


def footage(takes: list[Take]) -> Footage:
    return Footage(takes=tuple(takes), backgrounds=frozenset({"other"}), set_aside={})


def studio(series: str, classes: tuple[str, ...] = ("squat", "plank", "other")) -> list[Take]:
    return [take(series, action, number) for action in classes for number in range(3)]


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("Archery/v_Archery_g07_c02.avi", "g07"),
        ("Basketball/v_Basketball_g07_c01.avi", "g07"),
        ("squat/2018-june__uns_squat_e885bd.mp4", "2018-june"),
        ("squat/2018-june__a__b.mp4", "2018-june"),
        ("squat/deep/studio__1.mp4", "studio"),
        ("squat/1.mp4", "squat/1.mp4"),
        ("plank/1.mp4", "plank/1.mp4"),
        ("squat/__1.mp4", "squat/__1.mp4"),
        ("squat/v_Archery.avi", "squat/v_Archery.avi"),
    ],
)
def test_a_file_tells_its_series_or_is_one_of_its_own(name: str, series: str) -> None:
    assert series_of(name) == series


@given(st.floats(0.5, 1000))
def test_a_take_is_played_long_enough_for_a_clip_and_fills_no_video(seconds: float) -> None:
    assert LEAST_PLAY_SEC <= take("a", "squat", seconds=seconds).play_sec <= MOST_PLAY_SEC


def test_what_cannot_be_used_is_counted_by_reason(tmp_path: Path) -> None:
    draw(tmp_path / "squat" / "studio__1.mp4", colour=(255, 0, 0), speed=2, seconds=1)
    draw(tmp_path / "Other" / "studio__2.mp4", colour=(255, 0, 0), speed=2, seconds=1)
    (tmp_path / "squat" / "page.mp4").write_text("<!doctype html>")
    (tmp_path / "squat" / "empty.mp4").touch()
    (tmp_path / "squat" / "out.mp4").symlink_to("/etc/hostname")
    (tmp_path / "!").mkdir()
    found = read_footage(tmp_path)
    assert [(one.action, one.series, one.seconds) for one in found.takes] == [
        ("other", "studio", 1.0), ("squat", "studio", 1.0)
    ]  # fmt: skip
    assert found.set_aside == {
        "no video that can be read": 2, "refused address": 1, "class without a key of its own": 1
    }  # fmt: skip


@given(TAKES, st.integers(0, 5))
def test_each_series_is_in_one_part_and_no_take_is_lost(takes: list[Take], seed: int) -> None:
    parts = parts_of(takes, seed)
    assert sorted(one.name for part in parts for one in part.takes) == sorted(one.name for one in takes)
    series = [name for part in parts for name in part.series]
    assert len(series) == len(set(series))
    assert len(parts) == 1 or all(part.fills_a_video for part in parts)


def test_a_class_of_one_series_is_not_rehearsed() -> None:
    takes = [*studio("a"), *studio("b"), *studio("c", ("row", "plank"))]
    assert rehearsed(footage(takes), parts_of(takes, 0)) == ["plank", "squat"]


def test_a_folder_of_one_series_is_refused() -> None:
    with pytest.raises(BrokenContract, match="9 videos of 2 classes, and no class has two series"):
        rehearsed(footage(studio("a")), parts_of(studio("a"), 0))


@pytest.mark.parametrize("seed", range(5))
def test_each_action_is_learned_and_tested(seed: int) -> None:
    takes = [one for series in "abcdefgh" for one in studio(series)]
    parts = parts_of(takes, seed)
    found = dealt(parts, ["squat", "plank"], seed)
    rules = Admission()
    splits = {
        split_at(part.point / POINTS, validation_share=rules.validation_share, testing_share=rules.testing_share)
        for part in found
    }
    assert {Split.TRAINING, Split.TESTING} <= splits
    assert found == dealt(parts, ["squat", "plank"], seed)


def test_one_large_series_does_not_make_most_videos() -> None:
    takes = [*(take("large", "squat", number) for number in range(90)), *studio("large"), *studio("a"), *studio("b")]
    found = shares(parts_of(takes, 0), "squat")
    assert max(found) < 0.75
    assert sum(found) == pytest.approx(1)
