"""A rehearsal on disk: its truth is what was joined, to the frame, and no series is in two splits."""

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning_world import draw

from slac_tasks import cli
from slac_tasks.collect.sources import open_sources
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.model import media_video_id, split_of
from slac_tasks.world import card, joined
from slac_tasks.world.joined import make_rehearsal
from slac_tasks.world.rehearsal import Rehearsal
from slac_tasks.world.truth import read_truth

COLOURS = {"squat": (255, 0, 0), "plank": (0, 255, 0), "other": (0, 0, 255)}
SERIES = {"attic": 40, "beach": 90, "cellar": 140, "dunes": 190}
"""The grey before which each series was recorded."""


def takes(folder: Path) -> Path:
    for series, grey in SERIES.items():
        for action, colour in COLOURS.items():
            for number in range(3):
                path = folder / action / f"{series}__{action}_{number}.mp4"
                draw(path, colour=colour, speed=1 + number, seconds=(1, 4, 6)[number], grey=grey)
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return takes(tmp_path_factory.mktemp("takes"))


@pytest.fixture(scope="module")
def world(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsal")
    assert make_rehearsal(Rehearsal.of(source, videos=4), folder, processes=2)
    return folder


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def shown(path: Path) -> list[str]:
    """Return the action whose colour each frame holds."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            middle = frame.to_ndarray(format="rgb24")[20:28].reshape(-1, 3).astype(int)
            strongest = middle[np.argmax(np.ptp(middle, axis=1))]
            found.append(list(COLOURS)[int(np.argmax(strongest))])
    return found


def test_the_truth_is_what_was_joined_to_the_frame(world: Path) -> None:
    for row in rows(world / "truth.jsonl"):
        frames = shown(world / "videos" / row["category"] / f"{row['source_id']}.mp4")
        assert row["duration_sec"] == pytest.approx(len(frames) / 24, abs=1e-6)
        spans = [(start, end) for start, end, _ in row["shots"]]
        assert [spans[0][0], spans[-1][1]] == [0.0, row["duration_sec"]]
        for start, end in spans:
            inside = set(frames[round(start * 24) : round(end * 24)])
            assert len(inside) == 1, "a piece shows one action, from its first frame to its last"
            said = [
                action for action, found in row["segments"].items()
                if [round(start, 3), round(end, 3)] in found
            ]  # fmt: skip
            assert said in ([], list(inside))


def test_wrong_videos_are_the_planned_share(world: Path) -> None:
    for category in ("plank", "squat"):
        own = [row for row in rows(world / "truth.jsonl") if row["category"] == category]
        assert sum(category not in row["segments"] for row in own) == 1
        assert len(own) == 4


@pytest.fixture(scope="module")
def series(world: Path) -> set[tuple[str, str]]:
    """Return (series, video_id) of every piece of every video."""
    found = set()
    for row in rows(world / "truth.jsonl"):
        path = world / "videos" / row["category"] / f"{row['source_id']}.mp4"
        video_id = media_video_id(hashlib.sha256(path.read_bytes()).hexdigest())
        with av.open(str(path)) as container:
            greys = {int(frame.to_ndarray(format="gray")[:8].mean()) for frame in container.decode(video=0)}
        found |= {(min(SERIES, key=lambda name: abs(SERIES[name] - grey)), video_id) for grey in greys}
    return found


@given(st.tuples(st.integers(0, 1000), st.integers(0, 1000)).filter(lambda pair: sum(pair) < 1000))
def test_no_series_is_in_two_splits_whatever_the_shares(series: set[tuple[str, str]], pair: tuple[int, int]) -> None:
    splits: dict[str, set[str]] = {}
    for name, video_id in series:
        split = split_of(video_id, validation_share=pair[0] / 1000, testing_share=pair[1] / 1000)
        splits.setdefault(name, set()).add(split)
    assert len(splits) > 1
    assert all(len(found) == 1 for found in splits.values())


def test_by_default_some_videos_are_learned_from_and_some_tested(series: set[tuple[str, str]]) -> None:
    splits = {split_of(video_id, validation_share=0.1, testing_share=0.2) for _, video_id in series}
    assert {"training", "testing"} <= splits


def test_videos_say_nothing_of_what_they_show_and_are_read_as_a_source(world: Path) -> None:
    (found,) = open_sources((str(world / "manifest.jsonl"),))
    assert found.categories() == ["plank", "squat"]
    assert not found.unplaced()
    assert {row["source_id"] for row in rows(world / "manifest.jsonl")} == set(read_truth(world).segments)
    assert not any("segments" in row or row["licence"] for row in rows(world / "manifest.jsonl"))


def test_a_second_make_finds_it_finished_and_other_takes_are_refused(world: Path, source: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in world.rglob("*")}
    assert not make_rehearsal(Rehearsal.of(source, videos=4), world, processes=1)
    assert {path: path.stat().st_mtime_ns for path in world.rglob("*")} == before
    with pytest.raises(BrokenContract, match="holds"):
        make_rehearsal(Rehearsal.of(source, videos=5), world, processes=1)


def test_one_that_was_cut_off_joins_nothing_again(world: Path, source: Path, tmp_path: Path) -> None:
    rehearsal = Rehearsal.of(source, videos=3)
    assert make_rehearsal(rehearsal, tmp_path, processes=2)
    first = (tmp_path / "truth.jsonl").read_text()
    (tmp_path / "world.json").unlink()
    (tmp_path / "truth.jsonl").unlink()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.mp4")}
    assert make_rehearsal(rehearsal, tmp_path, processes=2)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.mp4")} == before
    assert (tmp_path / "truth.jsonl").read_text() == first
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".slac")]


def test_a_take_that_ends_the_decoder_is_left_out_and_the_others_are_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = takes(tmp_path / "takes")
    shutil.rmtree(folder / "other")
    for path in folder.rglob("*__plank_1.mp4"):
        path.rename(path.with_stem(path.stem + "_hostile"))
    script = tmp_path / "joining.py"
    crash = 'import os, sys\nif "hostile" in sys.argv[1]:\n    os.kill(os.getpid(), 11)\n'
    script.write_text(crash + Path(joined.joining.__file__).read_text())
    monkeypatch.setattr(joined.joining, "__file__", str(script))
    assert make_rehearsal(Rehearsal.of(folder, videos=3), tmp_path / "world", processes=2)
    assert re.search(r"set aside [1234]: cannot be decoded", capsys.readouterr().err)
    for row in rows(tmp_path / "world" / "truth.jsonl"):
        frames = shown(tmp_path / "world" / "videos" / row["category"] / f"{row['source_id']}.mp4")
        assert row["duration_sec"] == pytest.approx(len(frames) / 24, abs=1e-6)


def test_a_rehearsal_has_no_card(world: Path) -> None:
    with pytest.raises(BrokenContract, match="is a rehearsal"):
        card.measure(world)


@pytest.mark.parametrize(
    ("options", "found"), [({"videos": 2}, "2 videos"), ({"wrong": 1.0}, "1.0 wrong"), ({"seed": -1}, "seed -1")]
)
def test_numbers_that_nobody_can_rehearse_on_are_wrong_arguments(
    source: Path, options: dict[str, Any], found: str
) -> None:
    with pytest.raises(WrongArguments, match=re.escape(found)):
        Rehearsal.of(source, **options)


def test_the_command_makes_the_source_and_says_where(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLAC_HOME", str(tmp_path))
    words = ["rehearse", str(source), "--only-make", "--videos", "3", "--wrong", "0.5"]
    assert cli.main(words) == 0
    (made,) = tmp_path.glob("rehearsals/*/world/truth.jsonl")
    assert f"{made.parent}: made in" in capsys.readouterr().err
    assert cli.main(words) == 0
    assert "finished already" in capsys.readouterr().err


def test_a_bad_folder_ends_with_its_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_HOME", str(tmp_path / "home"))
    assert cli.main(["rehearse", str(tmp_path / "absent"), "--only-make"]) == 64
    assert cli.main(["rehearse", str(tmp_path), "--only-make"]) == 65
    draw(tmp_path / "squat" / "1.mp4", colour=(255, 0, 0), speed=1, seconds=3)
    assert cli.main(["rehearse", str(tmp_path), "--only-make"]) == 65
    assert not (tmp_path / "home").exists() or not list((tmp_path / "home").rglob("world.json"))
