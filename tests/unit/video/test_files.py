import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from learning_world import draw

from slac_tasks.errors import Temporary
from slac_tasks.model import View
from slac_tasks.video import files
from slac_tasks.video.files import Stretch, clips_of
from slac_tasks.video.frames import Pixels, read_clips
from slac_tasks.video.lost import Lost
from slac_tasks.video.pieces import UNDECODABLE

VIEW = View(frames=2, size=32)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    draw(tmp_path / "five.mp4", colour=(200, 90, 40), speed=2, seconds=5)
    return tmp_path / "five.mp4"


def found(stretches: Sequence[Stretch], most: int = 1) -> list[Pixels | Lost]:
    return list(clips_of(stretches, VIEW, most=most, what="decode"))


@pytest.mark.parametrize(
    ("times", "most", "starts", "clip_sec"),
    [
        ((), 1, [1.5], 2.0),
        ((), 3, [0.0, 1.5, 3.0], 2.0),
        ((1.0, 4.0), 2, [1.0, 2.0], 2.0),
        ((1.0, 2.5), 4, [1.0], 1.5),  # no room for several
        ((3.0, 9.0), 2, [3.0], 2.0),
    ],
)
def test_clips_are_spread_over_a_stretch_and_no_longer_than_it(
    video: Path, times: tuple[float, ...], most: int, starts: list[float], clip_sec: float
) -> None:
    (clips,) = found([Stretch(video, *times)], most)
    assert np.array_equal(clips, read_clips(video, starts, frames=2, size=32, clip_sec=clip_sec))


def test_a_file_without_clips_has_its_reason_and_holds_up_no_other(video: Path, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no video")
    (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:900])
    paths = [video, tmp_path / "note.txt", tmp_path / "absent.mp4", tmp_path / "cut.mp4", video]
    first, *lost, last = found([Stretch(path) for path in paths])
    assert isinstance(first, np.ndarray)
    assert isinstance(last, np.ndarray)
    assert np.array_equal(first, last)
    assert [one.reason for one in lost if isinstance(one, Lost)] == [UNDECODABLE] * 3
    (late,) = found([Stretch(video, 7.0)])
    assert late == Lost(UNDECODABLE, "five.mp4: lasts 5.0 s, the class is shown from 7.0 s on")


def test_several_programs_answer_in_the_order_of_the_files(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    before = files._program

    def program() -> "subprocess.Popen[bytes]":
        started.append(before())
        return started[-1]

    monkeypatch.setattr(files, "_program", program)
    monkeypatch.setattr(files, "processors", lambda: 2)
    starts = [number / 10 for number in range(21)]
    clips = found([Stretch(video, start, start + 2) for start in starts])
    assert np.array_equal(np.concatenate(clips), read_clips(video, starts, frames=2, size=32))
    assert [one.poll() is not None for one in started] == [True, True]


def test_who_decodes_is_given_no_secrets(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setenv("SLAC_S3_SECRET_KEY", "never told")

    class Watched(subprocess.Popen):
        def __init__(self, *words, env, **rest) -> None:
            given.append(env)
            super().__init__(*words, env=env, **rest)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    found([Stretch(video)])
    assert len(given) == 1
    assert "never told" not in given[0].values()


def test_a_program_that_is_killed_is_said_and_may_be_tried_again(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Temporary, match=r"five\.mp4: a process was killed"):
        found([Stretch(video)])
