"""Processes that outlive the command that started them: each in its own session, with a pid file and a log.

A pid file holds the process id and the moment (in clock ticks since boot) at which the process started: a number that
the kernel has given to another process since then is not taken for ours.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from slac_tasks.errors import Temporary


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """One named background process."""

    name: str
    folder: Path
    """Where its pid file and its log are."""

    @property
    def log(self) -> Path:
        """What the process printed, over all its starts."""
        return self.folder / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def pid(self) -> int | None:
        """Return the id of the running process, or None."""
        written = self._written()
        if written is None:
            return None
        pid, started = written
        _reap(pid)
        stat = _stat(pid)
        return pid if stat and stat.started == started and stat.lives else None

    def _written(self) -> tuple[int, int] | None:
        """Return what the pid file holds."""
        try:
            pid, started = (int(word) for word in self._pid_file.read_text(encoding="utf-8").split())
        except (OSError, ValueError):
            return None
        return pid, started

    def clear(self) -> None:
        """Kill what one that has ended left behind: its children keep its connections open, and the locks in them.

        A scheduler that is killed in the middle of a transaction stops the next one for ever otherwise.
        """
        written = self._written()
        if written is None or self.pid() is not None:
            return
        pid, started = written
        stat = _stat(pid)
        if stat is None or stat.started == started:  # a group keeps its number from being given to another process
            _signal(pid, signal.SIGKILL, group=True)

    def start(self, argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> bool:
        """Start the process unless it runs; return whether it was started."""
        if self.pid() is not None:
            return False
        self.clear()
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environ),
                cwd=cwd,
                start_new_session=True,
            )
        process.returncode = 0  # known by its pid file from here on: it may outlive this object, and us
        stat = _stat(process.pid)
        if stat is None or not stat.lives:
            raise Temporary(f"{self.name}: ended at once: {self.last_words()}")
        self._pid_file.write_text(f"{process.pid} {stat.started}", encoding="utf-8")
        return True

    def last_words(self, lines: int = 5) -> str:
        """Return the last lines of the log."""
        try:
            text = self.log.read_text(errors="replace", encoding="utf-8").strip().splitlines()
        except OSError:
            return "no log"
        return "\n".join(text[-lines:])

    def forget(self) -> None:
        """Delete the pid file."""
        self._pid_file.unlink(missing_ok=True)


def stop_all(daemons: Iterable[Daemon], patience_sec: float = 15.0) -> list[str]:
    """Ask every running process to stop, all at once; kill what is left. Return the names of those that ran."""
    daemons = list(daemons)
    for daemon in daemons:
        daemon.clear()
    running = [(daemon, pid) for daemon in daemons if (pid := daemon.pid()) is not None]
    for _, pid in running:
        _signal(pid, signal.SIGTERM, group=False)
    deadline = time.monotonic() + patience_sec
    while any(daemon.pid() is not None for daemon, _ in running) and time.monotonic() < deadline:
        time.sleep(0.1)
    for daemon, pid in running:
        # The session's leader has ended or had its time: its children must not outlive it.
        _signal(pid, signal.SIGKILL, group=True)
        daemon.forget()
    return [daemon.name for daemon, _ in running]


def _signal(pid: int, number: signal.Signals, *, group: bool) -> None:
    try:
        (os.killpg if group else os.kill)(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def _reap(pid: int) -> None:
    """Collect the end of a child of ours, so that it does not look alive."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


class _Stat(NamedTuple):
    """What the kernel says of a process."""

    lives: bool
    started: int
    """Clock ticks since boot."""


def _stat(pid: int) -> _Stat | None:
    """Return what is known of a process, of one that has ended and was not collected too; None for no process."""
    try:
        # pid (name) state ppid ... starttime: the name may hold spaces and brackets
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return _Stat(lives=fields[0] not in "ZX", started=int(fields[19]))
