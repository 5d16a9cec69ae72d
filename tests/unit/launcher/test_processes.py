"""Background processes: known by pid and start time, stopped with their children."""

import os
import signal
import sys
import time
from pathlib import Path

from slac_tasks.launcher.processes import Daemon, stop_all

SLEEP = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(60)"]


def test_a_running_daemon_is_not_started_twice(tmp_path: Path) -> None:
    daemon = Daemon(name="sleeper", folder=tmp_path)
    try:
        assert daemon.start(SLEEP, os.environ, tmp_path)
        assert not daemon.start(SLEEP, os.environ, tmp_path)
        assert daemon.pid() is not None
    finally:
        assert stop_all([daemon]) == ["sleeper"]
    assert daemon.pid() is None
    assert stop_all([daemon]) == []


def test_a_number_that_another_process_has_by_now_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "stranger.pid").write_text(f"{os.getpid()} 1")
    assert Daemon(name="stranger", folder=tmp_path).pid() is None


def test_one_that_does_not_stop_is_killed_with_its_children(tmp_path: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    )
    daemon = Daemon(name="stubborn", folder=tmp_path)
    daemon.start([sys.executable, "-c", stubborn], os.environ, tmp_path)
    while not daemon.log.read_text().strip():
        time.sleep(0.05)
    child = int(daemon.log.read_text())
    stop_all([daemon], patience_sec=0.3)
    time.sleep(0.1)
    assert _ended(child)


def test_what_a_killed_one_left_behind_ends_before_the_next_starts(tmp_path: Path) -> None:
    parent = "import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    daemon = Daemon(name="parent", folder=tmp_path)
    for clear in (lambda: daemon.start(SLEEP, os.environ, tmp_path), lambda: stop_all([daemon])):
        daemon.log.unlink(missing_ok=True)
        daemon.start([sys.executable, "-c", parent], os.environ, tmp_path)
        while not daemon.log.read_text().strip():
            time.sleep(0.05)
        leader, child = daemon.pid(), int(daemon.log.read_text())
        assert leader is not None
        os.kill(leader, signal.SIGKILL)
        while daemon.pid() is not None:
            time.sleep(0.05)
        assert not _ended(child)
        clear()
        deadline = time.monotonic() + 5
        while not _ended(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _ended(child)
        stop_all([daemon])


def _ended(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "ZX"
