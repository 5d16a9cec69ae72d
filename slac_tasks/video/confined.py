"""A program let loose on a stranger's file: bounded in time, memory and output, without secrets, gone afterwards.

It has no network, starts no other process, signals nobody, and opens nothing but programs, the files that it is given
and one folder: `slac_tasks.video.jail` gives these rights up before the program starts.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from slac_tasks.video import jail, trial

_SAID_BYTES = 20_000
"""As much of what a program says is read back, from its end."""
_MOST_THREADS = 4096
"""A decoder and two encoders on 256 processors start fewer."""
_WATCH_SEC = 0.25
_JAIL = f"import sys; sys.path.append({str(Path(jail.__file__).parent)!r}); import jail; jail.main(sys.argv[1:])"
"""Imported, since a module is compiled once and a script each time."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one run may use."""

    wall_sec: float
    cpu_sec: int
    memory_bytes: int
    """Address space, which is never less than what is used of it. There is one process, so it is that of all."""
    file_bytes: int
    """Largest file that it may write."""
    output_bytes: int
    """Most that it may write to its standard output."""


class Bound(StrEnum):
    """The bound that ended a run."""

    WALL = "time"
    CPU = "processor time"
    FILE = "size of a file"
    OUTPUT = "output"
    THREADS = "threads"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a run ended."""

    code: int
    """Exit status; negative: the signal that killed it."""
    output: bytes
    said: str
    """The end of what it wrote to standard error."""
    over: Bound | None
    """Which bound it ran into; None where it ended by itself. Out of memory is something that a program says."""


class _Watch(threading.Thread):
    """Kills a program that takes too long or starts too many threads."""

    def __init__(self, process: "subprocess.Popen[bytes]", wall_sec: float) -> None:
        super().__init__(daemon=True)
        self.over: Bound | None = None
        self._process, self._late = process, time.monotonic() + wall_sec
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(min(_WATCH_SEC, max(0.0, self._late - time.monotonic()))):
            if time.monotonic() >= self._late:
                self.over = Bound.WALL
            elif _threads(self._process.pid) > _MOST_THREADS:
                self.over = Bound.THREADS
            if self.over:
                _kill(self._process)
                return

    def stop(self) -> None:
        """End it; the program has ended."""
        self._ended.set()
        self.join()


class _Listener(threading.Thread):
    """Keeps the end of what a program says, in memory: a file would lose the words that the disk is full."""

    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.said = b""
        self._pipe = pipe

    def run(self) -> None:
        while words := os.read(self._pipe.fileno(), _SAID_BYTES):
            self.said = (self.said + words)[-_SAID_BYTES:]


def run(argv: Sequence[str], bounds: Bounds, *, reads: Sequence[Path] = (), writes: Path | None = None) -> Ended:
    """Run a program to its end, or to the first of its bounds; no process of it is left.

    It gets an empty environment, so that a hostile file that takes over a decoder finds no credentials. Safe to call
    from several threads: nothing runs between fork and exec. It dies with us, even where we are killed.

    Args:
        argv: the program and its arguments; it starts in `/`, so paths in them are absolute.
        bounds: what it may use.
        reads: the files that it may read.
        writes: the folder in which it may read and write.

    Raises:
        FileNotFoundError: there is no such program.

    """
    process = subprocess.Popen(
        _jailed(argv, bounds, reads, writes), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={"LC_ALL": "C"}, cwd="/", start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        watch, listener = _Watch(process, bounds.wall_sec), _Listener(process.stderr)
        try:
            watch.start()
            listener.start()
            output = process.stdout.read(bounds.output_bytes + 1)
            if len(output) > bounds.output_bytes:
                _kill(process)
            code = process.wait()
        finally:
            _kill(process)
            process.wait()
            watch.stop()
            listener.join()
    over = {-signal.SIGXCPU: Bound.CPU, -signal.SIGXFSZ: Bound.FILE}.get(code, watch.over)
    if len(output) > bounds.output_bytes:
        over = Bound.OUTPUT
    return Ended(code=code, output=output, said=listener.said.decode(errors="replace").strip(), over=over)


PROMISES = {
    "network": "opens no socket",
    "processes": "starts no other process, so none is left and memory is bounded for all of them",
    "environments": "reads no environment of another process",
    "files": "opens programs, its video and its own folder alone",
    "signals": "signals no other process",
    "memory": "takes no more memory than it is given",
}
"""What is promised of every program that `run` starts, where the kernel can hold it to that."""


def promises() -> dict[str, bool]:
    """Return which of the `PROMISES` hold on this machine: a program tried to break them.

    Raises:
        RuntimeError: the program did not come to its end.

    """
    bounds = Bounds(wall_sec=30, cpu_sec=10, memory_bytes=1 << 30, file_bytes=1 << 20, output_bytes=1 << 16)
    script = Path(trial.__file__)
    ended = run([sys.executable, "-I", str(script), str(2 * bounds.memory_bytes)], bounds, reads=[script])
    if ended.code:
        raise RuntimeError(f"{script}: exit {ended.code}: {ended.said[-2000:]}")
    could: dict[str, bool] = json.loads(ended.output)
    return {name: not could[name] for name in PROMISES}


def _jailed(argv: Sequence[str], bounds: Bounds, reads: Sequence[Path], writes: Path | None) -> list[str]:
    """Return the command that gives up every other right before it becomes `argv`."""
    program = shutil.which(argv[0])
    if program is None:
        raise FileNotFoundError(2, "No such program", argv[0])
    given = [f"cpu={bounds.cpu_sec}", f"memory={bounds.memory_bytes}", f"file={bounds.file_bytes}"]
    given += [f"program={folder}" for folder in {sys.prefix, sys.base_prefix}]
    given += [f"read={path.absolute()}" for path in reads]
    given += [f"write={writes.absolute()}"] if writes else []
    return [sys.executable, "-I", "-S", "-c", _JAIL, *given, "--", str(Path(program).absolute()), *argv[1:]]


def _threads(pid: int) -> int:
    """Return how many threads a process has; 0 where it has ended."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        # values after the name in parentheses, which may hold anything: state, parent, ...; want the 20th of all
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        return int(text.rpartition(")")[2].split()[17])
    return 0


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill the whole group; only while its leader is ours to wait for, so that the number cannot be someone else's."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
