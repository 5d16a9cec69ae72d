"""Work on a stranger's file in a forked process, for decoders that take seconds to import.

It is held as a program is that `slac_tasks.video.confined` starts: bounded in time and memory, without network, other
files and other processes, one process for one piece of work, gone afterwards. But it inherits what its parent has in
memory, so the parent must hold no secrets. What it says is JSON, never pickled: it may have been taken over.
"""

import json
import mmap
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from slac_tasks.video import jail

FAULT = 300
"""Characters of a fault that are kept."""
_SAID_BYTES = 1 << 16
_PIPE = 3
"""The one open file of the process beside the standard ones."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What one process may use."""

    wall_sec: float
    cpu_sec: int
    memory_bytes: int
    """Beside what the parent has."""
    reserves: bool = False
    """It reserves more address space than any machine has memory, as a card's driver does: of its memory only what is
    its own is bounded, and not what it could share."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How the work ended."""

    said: dict[str, str] | None
    """What it returned; None: it came to no end of its own."""
    why: str
    """In that case, why."""
    memory: mmap.mmap
    """What it wrote."""

    @property
    def fault(self) -> str:
        """What went wrong, where something did; of a process that was taken over, some text."""
        return (self.said or {"error": self.why}).get("error", "an answer without a reason")[:FAULT]


@contextmanager
def run(
    work: Callable[[mmap.mmap], dict[str, str]], size: int, bounds: Bounds, *, programs: Sequence[Path],
    reads: Sequence[Path], devices: Sequence[Path] = (),
) -> Iterator[Ended]:  # fmt: skip
    """Do some work in a process of its own, and yield what it wrote into `size` bytes of memory.

    This process must have one thread. SIGCHLD must not be ignored.

    Args:
        work: is called there, with the memory; an error of it is returned as `error`.
        size: of the memory.
        bounds: what it may use.
        programs: folders of what it may load.
        reads: files that it may read.
        devices: devices that it may use.

    """
    with mmap.mmap(-1, max(1, size)) as memory:
        ours, theirs = os.pipe()
        pid = os.fork()
        if not pid:
            _become(work, memory, theirs, bounds, programs, reads, devices)
        os.close(theirs)
        try:
            text, why = _listen(ours, bounds.wall_sec)
        finally:
            os.close(ours)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
        said = None if why else _parsed(text)
        if said is None and not why:
            code = -os.waitstatus_to_exitcode(status)
            over = {signal.SIGXCPU: f"took more than {bounds.cpu_sec} s of processor time", 0: "said nothing"}
            why = over.get(code, f"signal {code} while decoded")
        yield Ended(said=said, why=why, memory=memory)


def _become(
    work: Callable[[mmap.mmap], dict[str, str]], memory: mmap.mmap, pipe: int, bounds: Bounds,
    programs: Sequence[Path], reads: Sequence[Path], devices: Sequence[Path],
) -> None:  # fmt: skip
    """Give up all rights, do the work and end; nothing of the parent's is open any more."""
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in range(_PIPE):
            os.dup2(nothing, standard)
        os.dup2(pipe, _PIPE)
        os.closerange(_PIPE + 1, os.sysconf("SC_OPEN_MAX"))
        jail.give_up(
            programs=[str(path.absolute()) for path in programs], reads=[str(path.absolute()) for path in reads],
            writes=[], devices=[str(path) for path in devices], cpu_sec=bounds.cpu_sec,
            memory=resource.RLIMIT_DATA if bounds.reserves else resource.RLIMIT_AS,
            memory_bytes=_memory_bytes(own=bounds.reserves) + bounds.memory_bytes, file_bytes=0,
        )  # fmt: skip
        said = work(memory)
    except BaseException as error:  # whatever a hostile file makes a decoder raise is that file's own failure
        said = {"error": f"{type(error).__name__}: {error}"[:2000]}
    try:
        os.write(_PIPE, json.dumps(said).encode())
    finally:
        os._exit(0)


def _memory_bytes(*, own: bool) -> int:
    """Return the address space of this process, or what of it is its own and may be written, as the kernel counts."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[5 if own else 0]) * resource.getpagesize()


def _listen(pipe: int, wall_sec: float) -> tuple[bytes, str]:
    """Return what comes through a pipe until it is closed, and why it was not waited for that."""
    late = time.monotonic() + wall_sec
    text = b""
    while len(text) <= _SAID_BYTES:
        ready, _, _ = select.select([pipe], [], [], max(0.0, late - time.monotonic()))
        if not ready:
            return text, f"took more than {wall_sec:g} s"
        found = os.read(pipe, _SAID_BYTES)
        if not found:
            return text, ""
        text += found
    return text, f"said more than {_SAID_BYTES} bytes"


def _parsed(text: bytes) -> dict[str, str] | None:
    """Return a JSON object of texts; None where it is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    fits = isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
    return found if fits else None
