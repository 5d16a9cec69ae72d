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
        try:
            pid, started = (int(word) for word in self._pid_file.read_text().split())
        except (OSError, ValueError):
            return None
        _reap(pid)
        return pid if _started_at(pid) == started else None

    def start(self, argv: Sequence[str], environ: Mapping[str, str], cwd: Path) -> bool:
        """Start the process unless it runs; return whether it was started."""
        if self.pid() is not None:
            return False
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
        started = _started_at(process.pid)
        if started is None:
            raise Temporary(f"{self.name}: ended at once: {self.last_words()}")
        self._pid_file.write_text(f"{process.pid} {started}")
        return True

    def last_words(self, lines: int = 5) -> str:
        """Return the last lines of the log."""
        try:
            text = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return "no log"
        return "\n".join(text[-lines:])

    def forget(self) -> None:
        """Delete the pid file."""
        self._pid_file.unlink(missing_ok=True)


def stop_all(daemons: Iterable[Daemon], patience_sec: float = 15.0) -> list[str]:
    """Ask every running process to stop, all at once; kill what is left. Return the names of those that ran."""
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


def _started_at(pid: int) -> int | None:
    """Return when a live process started, in clock ticks since boot; None for one that has ended."""
    try:
        # pid (name) state ppid ... starttime: the name may hold spaces and brackets
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])
