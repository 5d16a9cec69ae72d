"""What work costs: wall clock, processor time and memory, of this process and of those that it starts."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Seconds, of one piece of work or since some beginning."""

    wall_sec: float
    own_sec: float
    """Processor time of this process, all threads; other work on the machine does not stretch it."""
    children_sec: float
    """Processor time of the child processes that ended meanwhile."""

    @property
    def processor_sec(self) -> float:
        """Processor time of this process and of its children that ended."""
        return self.own_sec + self.children_sec

    def __sub__(self, earlier: "Cost") -> "Cost":
        return Cost(
            wall_sec=self.wall_sec - earlier.wall_sec,
            own_sec=self.own_sec - earlier.own_sec,
            children_sec=self.children_sec - earlier.children_sec,
        )


def now() -> Cost:
    """Return the readings of all clocks: what lies between two of them is `later - earlier`."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(
        wall_sec=time.perf_counter(), own_sec=time.process_time(), children_sec=children.ru_utime + children.ru_stime
    )


def cost(work: Callable[[], object]) -> Cost:
    """Return what a piece of work costs."""
    began = now()
    work()
    return now() - began


def peak_bytes() -> int:
    """Return the most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def peak_bytes_of(process: int) -> int:
    """Return the most memory that another process has held so far."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024


def resident_bytes() -> int:
    """Return the memory that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * resource.getpagesize()


def shared_out_bytes(process: int) -> int:
    """Return the memory that a process and its children hold now; a page that several hold is shared out among them."""
    found = 0
    for one in _with_children(process):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        found += next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
    return found


def _with_children(process: int) -> list[int]:
    """Return a process and everything that it started and that still runs."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name) state ppid ...: the name may hold spaces and brackets
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [process]
    for one in found:
        found += children.get(one, [])
    return found


@dataclass(frozen=True, kw_only=True)
class ProcessCost:
    """What one process cost from its start to its end, imports included."""

    wall_sec: float
    processor_sec: float
    peak_bytes: int


def slac(arguments: Sequence[str], log: Path) -> ProcessCost:
    """Run a `slac` command as Airflow does, in a process of its own; what it prints goes to the log.

    Raises:
        RuntimeError: the command fails; the message ends with its last words.

    """
    began = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "slac_tasks.cli", *arguments], stdout=out, stderr=out)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # this process is to end: so is the command
            process.kill()
            process.wait()
            raise
    wall_sec = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = log.read_text(errors="replace", encoding="utf-8")[-2000:]
        raise RuntimeError(f"slac {' '.join(arguments)}: exit code {process.returncode}, want 0: {last}")
    return ProcessCost(
        wall_sec=wall_sec, processor_sec=usage.ru_utime + usage.ru_stime, peak_bytes=usage.ru_maxrss * 1024
    )
