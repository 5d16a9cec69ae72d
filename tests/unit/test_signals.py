"""Ctrl-C and a terminal that is closed reach the whole group: the command ends its programs, which say nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slac_tasks import signals
from slac_tasks.admission.exclusions.fingerprinting import fingerprint_files
from slac_tasks.children import together
from slac_tasks.model import View
from slac_tasks.video.files import Stretch, clips_of
from slac_tasks.video.pool import Pool

FROM_A_TERMINAL = {signal.SIGINT, signal.SIGHUP}


def blocked(*_: object) -> set[int]:
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def test_a_program_lives_on_where_its_whole_group_is_told_to_end() -> None:
    with signals.left_to_us():
        child = subprocess.Popen(
            [sys.executable, "-c", "print('begun', flush=True); input()"], text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    assert not FROM_A_TERMINAL & blocked()
    for number in FROM_A_TERMINAL:
        os.killpg(child.pid, number)
    assert child.communicate("go on\n", timeout=60) == ("begun\n", "")
    assert child.returncode == 0


def a_pool(folder: Path) -> None:
    Pool(lambda name: pytest.fail(name), [View(2, 8)], batch=1, workers=1).close()


def films(folder: Path) -> None:
    list(clips_of([Stretch(folder / "no.mp4", 0.0, 2.0)], View(2, 8), most=1, what="decoding"))


def fingerprints(folder: Path) -> None:
    (folder / "no.mp4").write_bytes(b"no video")
    list(fingerprint_files([folder / "no.mp4"]))


@pytest.mark.parametrize("start", [a_pool, films, fingerprints])
def test_every_program_that_works_for_a_command_is_ended_by_it_alone(
    start: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    born: list[set[int]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **named: Any) -> None:
            born.append(blocked())
            super().__init__(*given, **named)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    start(tmp_path)
    assert born[0] >= FROM_A_TERMINAL


def test_processes_that_work_together_are_too() -> None:
    (mask,) = together(blocked, [0], "looking")
    assert mask >= FROM_A_TERMINAL


def test_who_ignores_a_closed_terminal_goes_on() -> None:
    code = (
        "import os, signal; from slac_tasks import signals;"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); signals.listen();"
        "os.kill(os.getpid(), signal.SIGHUP); print('goes on')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "goes on\n"
