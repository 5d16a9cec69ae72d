"""A command that is stopped says so. Ctrl-C and a closed terminal reach its programs too, which leave both to it."""

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


STOPS = {
    "at once": "pass",
    "in a category of many": "from slac_tasks.job import do_each; do_each('s', 'category', 'ab', lambda _: wait())",
    "while threads work": "from concurrent.futures import ThreadPoolExecutor as P\n"
    "    with P(2) as pool: list(pool.map(lambda _: time.sleep(0.5), range(2)))",
    "after a failure": "\n    try: 1 / 0\n    except ZeroDivisionError: wait()",
}
STOPPED = """
import os, signal, sys, time
from slac_tasks import cli
from slac_tasks.commands import show
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
def wait():
    os.kill(os.getpid(), signal.{name})
    time.sleep(30)
def main(arguments):
    {body}
    wait()
show.main = main
sys.exit(cli.main(["show"]))
"""


@pytest.mark.parametrize("moment", STOPS)
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_command_that_is_stopped_says_so_and_how_to_go_on(name: str, moment: str) -> None:
    script = STOPPED.format(name=name, body=STOPS[moment])
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 75, ended.stderr
    how = "stopped by hand" if name == "SIGINT" else "stopped by signal SIGTERM"
    assert ended.stderr.splitlines()[-1] == f"slac show: {how}; run again to go on"
    assert "Traceback" not in ended.stderr
