"""`slac localize`: one command finds segments in files, of a release or of a folder; a bad file stops no other."""

import csv
import json
import os
import shutil
from pathlib import Path

import pytest
from learning_world import LearningWorld, draw

from slac_tasks.cli import main
from slac_tasks.localization.results import FoundVideo
from slac_tasks.localization.so_far import SoFar
from slac_tasks.stages import pretrain


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> LearningWorld:
    made = LearningWorld(tmp_path_factory.mktemp("world"))
    made.add_release({category: made.add_category(category, videos=3) for category in ("hop", "wave")})
    pretrain.run(made.job("pretrain", release="r0001"))
    (made.folder / "slac.toml").write_text(
        'device = "cpu"\n[localization]\nsteps = 4\nbatch = 2\nwidth = 16\n', encoding="utf-8"
    )
    return made


@pytest.fixture(autouse=True)
def settings(world: LearningWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_STORE", world.store.url)
    monkeypatch.setenv("SLAC_CONFIG", str(world.folder / "slac.toml"))


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    draw(folder / "a.mp4", colour=(200, 40, 90), speed=2, seconds=5)
    draw(folder / "b.mp4", colour=(20, 240, 90), speed=4, seconds=3)
    (folder / "text.mp4").write_text("no video")
    shutil.copy(folder / "b.mp4", os.fsencode(folder) + b"/caf\xe9.mp4")
    os.mkfifo(folder / "pipe.mp4")
    return folder


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.splitlines()[-1]


def test_segments_of_every_file_of_a_folder(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "found"
    assert main(["localize", str(videos), "--release", "r0001", "--to", str(to), "--least-score", "0"]) == 0
    said = capsys.readouterr()
    assert "set aside 1: not a video" in said.err
    assert "3 videos, 0.2 minutes; " in said.err.splitlines()[-1]
    assert "s for a minute of video on cpu" in said.err.splitlines()[-1]
    results = json.loads((to / "segments.json").read_text())["results"]
    assert sorted(results) == ["a", "b", "caf\\xe9"]
    assert all(0 <= start < end <= 5.1 for each in results["a"] for start, end in [each["segment"]])
    with (to / "segments.csv").open() as file:
        assert {row["video"] for row in csv.DictReader(file)} == {"a", "b", "caf\\xe9"}
    assert 'src="media/a.mp4"' in (to / "segments.html").read_text()
    assert sorted(path.name for path in (to / "media").iterdir()) == ["a.mp4", "b.mp4", "caf\\xe9.mp4"]
    assert f"{videos}/a.mp4  5.0 s" in said.out


def test_a_run_that_is_cut_off_goes_on_and_finds_the_same(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find(to: str) -> int:
        return main(["localize", str(videos), "--release", "r0001", "--to", str(tmp_path / to)])

    assert find("whole") == 0
    add = SoFar.add

    def cut_off(so_far: SoFar, video: FoundVideo, source: str) -> None:
        add(so_far, video, source)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SoFar, "add", cut_off)
        assert find("cut") != 0
    assert not (tmp_path / "cut" / "segments.json").exists()
    capsys.readouterr()
    assert find("cut") == 0
    said = capsys.readouterr()
    assert "1 of 4 videos looked at before" in said.err
    assert f"{videos}/a.mp4  5.0 s" in said.out
    for name in ("segments.json", "segments.csv", "segments.html"):
        assert (tmp_path / "cut" / name).read_text() == (tmp_path / "whole" / name).read_text()


@pytest.mark.parametrize("changed", ["nothing", "file", "rendition", "search", "another under its name"])
def test_a_video_is_looked_at_again_where_what_was_found_is_not_of_it(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: str
) -> None:
    argv = ["localize", str(videos / "a.mp4"), "--release", "r0001", "--to", str(tmp_path / "found")]
    assert main(argv) == 0
    if changed == "file":
        os.utime(videos / "a.mp4", (1, 1))
    elif changed == "rendition":
        (tmp_path / "found" / "media" / "a.mp4").unlink()
    elif changed == "search":
        argv.append("--by-video")
    elif changed == "another under its name":
        other = tmp_path / "other" / "a.mp4"
        draw(other, colour=(1, 2, 3), speed=1, seconds=3)
        assert main([argv[0], str(other), *argv[2:]]) == 0
    capsys.readouterr()
    assert main(argv) == 0
    assert ("1 of 1 video looked at before" in capsys.readouterr().err) == (changed == "nothing")


def test_what_was_found_counts_no_more_once_another_file_of_that_name_is_looked_at(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["localize", str(videos / "a.mp4"), "--release", "r0001", "--to", str(tmp_path / "found")]
    assert main(argv) == 0
    other = tmp_path / "other" / "a.mp4"
    draw(other, colour=(1, 2, 3), speed=1, seconds=3)

    def cut_off(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(SoFar, "add", cut_off)
        assert main([argv[0], str(other), *argv[2:]]) != 0
    capsys.readouterr()
    assert main(argv) == 0
    assert "looked at before" not in capsys.readouterr().err, "the rendition was made of another file"


def test_what_is_found_goes_to_a_folder_beside_whoever_asks(videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(videos.parent)
    assert main(["localize", "videos/a.mp4", "--release", "r0001"]) == 0
    assert (videos.parent / "localized" / "media" / "a.mp4").exists()


def test_a_head_is_taught_once(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["localize", str(videos / "a.mp4"), "--release", "r0001", "--to", str(tmp_path / "found")]
    main(argv)
    capsys.readouterr()
    assert main(argv) == 0
    assert "teaches" not in capsys.readouterr().err


def test_a_saved_folder_finds_the_same_without_a_store(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video, folder = str(videos / "a.mp4"), str(tmp_path / "model")
    main(["localize", video, "--release", "r0001", "--save", folder, "--to", str(tmp_path / "one")])
    monkeypatch.delenv("SLAC_STORE")
    monkeypatch.delenv("SLAC_CONFIG")
    assert main(["localize", video, "--model", folder, "--device", "cpu", "--to", str(tmp_path / "other")]) == 0
    one, other = ((tmp_path / name / "segments.csv").read_text() for name in ("one", "other"))
    assert one == other


def test_one_action_can_be_asked_for(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["localize", str(videos / "a.mp4"), "--release", "r0001", "--to", str(tmp_path / "found")]
    assert main([*argv, "--category", "wave"]) == 0
    found = json.loads((tmp_path / "found" / "segments.json").read_text())["results"]["a"]
    assert {each["label"] for each in found} <= {"wave"}
    assert main([*argv, "--category", "fly"]) == 64
    assert "fly: unknown, want one of hop, wave" in last_line(capsys)


def test_videos_none_of_which_can_be_read_end_with_65(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["localize", *(str(videos / name) for name in ("text.mp4", "none.mp4", "x" * 300)), "--release", "r0001"]
    assert main([*argv, "--to", str(tmp_path / "found")]) == 65
    said = capsys.readouterr().err
    assert "set aside 1: no such file" in said
    assert "set aside 1: unreadable" in said
    assert "3 videos, none of which can be read" in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["a.mp4"], "--release and --model: want one of them"),
        (["--release", "r0001"], "videos: none given"),
        (["a.mp4", "--model", "nowhere"], "lacks head.pt"),
        (["a.mp4", "--release", "r0009"], "release r0009: does not exist"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_wanted(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["localize", *argv]) in (64, 65, 75, 78)
    assert said in last_line(capsys)
