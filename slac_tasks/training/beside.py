"""Trainings that do not wait for each other, at the same time: on processors, each in a process of its own.

A small network gains little from a second thread: on two cores, two trainings on one thread each are done 1.6 times as
soon as one after the other on two (measured, networks for 56 pixels).
"""

import ctypes
import io
import pickle  # noqa: TID251 - what it reads was written a moment before, by the program that starts the processes
import signal
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch

from slac_tasks.errors import Temporary

A = TypeVar("A")
R = TypeVar("R")

_CLIPS_PER_PROCESS = 800
"""A process starts in three seconds, in which another one learns from about so many clips."""
_FILE_BYTES = 2**20
"""Arrays of this size travel as files, which all processes map: none has a copy of its own."""
_PR_SET_PDEATHSIG = 1


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
        Temporary: a process was killed, as when memory runs out.

    """
    if count < 2:
        return [work(one) for one in each]
    with tempfile.TemporaryDirectory(prefix="slac-") as folder:
        tasks = [_packed((work, one), Path(folder)) for one in each]
        helpers = [_Helper.started(max(1, torch.get_num_threads() // count)) for _ in range(count)]
        try:
            return cast(list[R], _shared_out(tasks, helpers))
        finally:
            for helper in helpers:
                helper.process.kill()
                helper.process.join()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Helper:
    process: SpawnProcess
    answers: Connection

    @classmethod
    def started(cls, threads: int) -> "_Helper":
        # Spawned: a copy of a process that has threads may wait for one of them for ever.
        context = get_context("spawn")
        own, theirs = context.Pipe()
        process = context.Process(target=_help, args=(theirs, threads))
        process.start()
        theirs.close()
        return cls(process=process, answers=own)


def _shared_out(tasks: Sequence[bytes], helpers: Sequence[_Helper]) -> list[Any]:
    """Give each helper a task, and the next one when it has answered; return the answers in the order of tasks."""
    found: dict[int, Any] = {}
    waiting = iter(enumerate(tasks))
    at_work: dict[Connection, int] = {}
    for helper, (place, task) in zip(helpers, waiting, strict=False):
        helper.answers.send_bytes(task)
        at_work[helper.answers] = place
    while at_work:
        for answers in cast(list[Connection], wait([*at_work])):
            place = at_work.pop(answers)
            found[place] = _received(answers)
            if following := next(waiting, None):
                at_work[answers] = following[0]
                answers.send_bytes(following[1])
    return [found[place] for place in range(len(tasks))]


def _received(answers: Connection) -> Any:
    try:
        failure, answer = answers.recv()
    except (EOFError, OSError) as error:
        raise Temporary("training: a process was killed, as when memory runs out; want it to live") from error
    if failure is not None:
        raise failure
    return answer


def _help(tasks: Connection, threads: int) -> None:
    """Do tasks until nobody sends any more."""
    torch.set_num_threads(threads)
    # Where the system is Linux: be killed when the program is.
    if prctl := getattr(ctypes.CDLL(None), "prctl", None):
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with suppress(EOFError, OSError):
        while True:
            # Of the program that started this process.
            work, one = pickle.loads(tasks.recv_bytes())  # nosec B301
            answer: tuple[Exception | None, Any]
            try:
                answer = None, work(one)
            except Exception as error:
                answer = error, None
            tasks.send(answer)


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
            np.save(path, found)
        return np.load, (path, "r")
