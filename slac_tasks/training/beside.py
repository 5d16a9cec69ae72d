"""Trainings that do not wait for each other, at the same time: on processors, each in a process of its own.

A small network gains little from a second thread: on two cores, two trainings on one thread each are done 1.6 times as
soon as one after the other on two (measured, networks for 56 pixels).
"""

import io
import pickle  # noqa: TID251 - what it reads was written a moment before, by the program that starts the processes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch

from slac_tasks.children import together
from slac_tasks.scratch import Scratch

A = TypeVar("A")
R = TypeVar("R")

_CLIPS_PER_PROCESS = 800
"""A process starts in three seconds, in which another one learns from about so many clips."""
_FILE_BYTES = 2**20
"""Arrays of this size travel as files, which all processes map: none has a copy of its own."""


def processes(works: int, *, clips: int, where: torch.device) -> int:
    """Return in how many processes trainings are worth doing; 1: in this one.

    Args:
        works: trainings that do not wait for each other.
        clips: how many clips they learn from together, each as often as it is seen.
        where: device. A card trains one network after the other.

    """
    if where.type != "cpu":
        return 1
    return max(1, min(works, torch.get_num_threads(), clips // _CLIPS_PER_PROCESS))


def beside(work: Callable[[A], R], each: Sequence[A], count: int) -> list[R]:
    """Return `work` of each, in order, done in `count` processes; 1: in this one.

    What `work` and its arguments hold travels to the processes, large arrays as read-only maps.

    Raises:
        SlacError: what the process that failed first raised.
        Temporary: a process was killed, as when memory runs out.

    """
    if count < 2:
        return [work(one) for one in each]
    threads = max(1, torch.get_num_threads() // count)
    with Scratch() as folder:
        tasks = [_packed((work, one), folder) for one in each]
        shares = [_Share(tasks=tasks[first::count], threads=threads) for first in range(count)]
        found: list[R | None] = [None] * len(each)
        for first, answers in enumerate(together(_done, shares, "training")):
            found[first::count] = answers
    return cast(list[R], found)


@dataclass(frozen=True, kw_only=True)
class _Share:
    """What one process does."""

    tasks: Sequence[bytes]
    threads: int


def _done(share: _Share) -> list[Any]:
    torch.set_num_threads(share.threads)
    # Of the program that started this process.
    unpacked = (pickle.loads(task) for task in share.tasks)  # nosec B301
    return [work(one) for work, one in unpacked]


def _packed(task: Any, folder: Path) -> bytes:
    buffer = io.BytesIO()
    _Packer(buffer, folder).dump(task)
    return buffer.getvalue()


class _Packer(pickle.Pickler):
    """Writes large arrays into files, one that several tasks share but once."""

    def __init__(self, buffer: io.BytesIO, folder: Path) -> None:
        super().__init__(buffer, pickle.HIGHEST_PROTOCOL)
        self._folder = folder

    def reducer_override(self, found: Any) -> Any:
        """Return how an array is read again."""
        if not isinstance(found, np.ndarray) or found.nbytes < _FILE_BYTES or found.dtype.hasobject:
            return NotImplemented
        path = self._folder / f"{id(found)}.npy"
        if not path.exists():
            whole = np.ascontiguousarray(found)
            with path.open("wb") as file:  # `numpy.save` hides that the disk is full
                np.lib.format.write_array_header_2_0(file, np.lib.format.header_data_from_array_1_0(whole))
                file.write(whole.data)
        return np.load, (path, "r")
