"""A program let loose on a stranger's file: bounded in time, memory and output, without secrets, gone afterwards."""

import contextlib
import os
import resource
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_SAID_BYTES = 20_000
"""As much of what a program says is read back, from its end."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one run may use."""

    wall_sec: float
    cpu_sec: int
    memory_bytes: int
    """Address space, which is never less than what is used of it."""
    file_bytes: int
    """Largest file that it may write, its log among them."""
    output_bytes: int
    """Most that it may write to its standard output."""


class Bound(StrEnum):
    """The bound that ended a run."""

    WALL = "time"
    CPU = "processor time"
    FILE = "size of a file"
    OUTPUT = "output"


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


def run(argv: Sequence[str], bounds: Bounds) -> Ended:
    """Run a program to its end, or to the first of its bounds; no process of its group is left.

    It gets an empty environment, so that a hostile file that takes over a decoder finds no credentials. Safe to call
    from several threads: nothing runs between fork and exec, limits are set from outside as soon as the program stands.
    It dies with us, even where we are killed: its standard output is our pipe, and what never writes runs out of
    processor time.
    """
    late = threading.Event()
    with tempfile.TemporaryFile(prefix="slac-") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env={"LC_ALL": "C"}, cwd="/",
            start_new_session=True,
        )  # fmt: skip

        def stop() -> None:
            late.set()
            _kill(process)

        timer = threading.Timer(bounds.wall_sec, stop)
        try:
            _limit(process.pid, bounds)
            timer.start()
            assert process.stdout is not None
            output = process.stdout.read(bounds.output_bytes + 1)
            if len(output) > bounds.output_bytes:
                _kill(process)
            code = process.wait()
        finally:
            timer.cancel()
            _kill(process)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        log.seek(max(0, log.seek(0, os.SEEK_END) - _SAID_BYTES))
        said = log.read().decode(errors="replace").strip()
    over = {-signal.SIGXCPU: Bound.CPU, -signal.SIGXFSZ: Bound.FILE}.get(code)
    if len(output) > bounds.output_bytes:
        over = Bound.OUTPUT
    elif late.is_set():
        over = Bound.WALL
    return Ended(code=code, output=output, said=said, over=over)


def _limit(pid: int, bounds: Bounds) -> None:
    limits = {
        # The kernel kills for sure one second after the signal that a program could catch.
        resource.RLIMIT_CPU: (bounds.cpu_sec, bounds.cpu_sec + 1),
        resource.RLIMIT_AS: (bounds.memory_bytes, bounds.memory_bytes),
        resource.RLIMIT_FSIZE: (bounds.file_bytes, bounds.file_bytes),
        resource.RLIMIT_CORE: (0, 0),
    }
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        for kind, (soft, hard) in limits.items():
            most = resource.prlimit(pid, kind)[1]
            ceiling = hard if most == resource.RLIM_INFINITY else min(hard, most)
            resource.prlimit(pid, kind, (min(soft, ceiling), ceiling))


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill the whole group; only while its leader is ours to wait for, so that the number cannot be someone else's."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
