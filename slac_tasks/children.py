"""Processes of this machine that do one work together, and all end when one of them fails.

The failure of the one that failed first is raised here, so the exit code says whether a later try may succeed.
"""

import multiprocessing
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from slac_tasks.errors import SlacError, Temporary, is_bug
from slac_tasks.signals import left_to_us

S = TypeVar("S")
A = TypeVar("A")

_SECONDS_TO_END = 5.0
"""What the others have to notice by themselves that one failed."""
_BUG = 1


class _Answer(NamedTuple):
    found: Any = None
    failure: Exception | None = None


@dataclass(frozen=True)
class _Running:
    process: SpawnProcess
    answers: Connection


def processors() -> int:
    """Return how many processors this process may use: of a machine that several jobs share, its own share."""
    return len(os.sched_getaffinity(0))


def environment(*names: str) -> dict[str, str]:
    """Return what a program that opens strangers' files is given of this one's environment.

    It is what finds programs and temporary folders, and what `names` says. Whatever else is set may be a secret.
    """
    return {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", *names) if name in os.environ}


def together(
    act: Callable[[S], A], tasks: Sequence[S], what: str, *, later: tuple[type[SlacError], ...] = ()
) -> list[A]:
    """Do each task in a process of its own, and return what they answer, in order.

    Args:
        act: a function of a module, which the processes import.
        tasks: what it is called with; small, since each is sent through a pipe.
        what: what they do, for the message of one that was killed.
        later: failures that follow from another process's failure.

    Raises:
        SlacError: what the process that failed first raised.
        Temporary: one was killed.

    """
    running = [_started(act, task, f"rank {rank} of {what}") for rank, task in enumerate(tasks)]
    try:
        return _watched(running, later)
    finally:
        for one in running:
            one.process.kill()
            one.process.join()


def _started(act: Callable[[S], A], task: S, name: str) -> _Running:
    context = multiprocessing.get_context("spawn")
    own, theirs = context.Pipe()
    process = context.Process(target=_child, args=(act, task, name, theirs), name=name)
    resource_tracker.ensure_running()  # when it starts it lets signals through again
    with left_to_us():
        process.start()
    theirs.close()
    return _Running(process, own)


def _watched(running: Sequence[_Running], later: tuple[type[SlacError], ...]) -> list[Any]:
    """Wait for all; return their answers, or raise what went wrong first."""
    answers: dict[int, _Answer] = {}
    waiting = dict(enumerate(running))
    seconds: float | None = None
    while waiting:
        ready = wait([one.answers for one in waiting.values()], timeout=seconds)
        if not ready:
            break
        for rank, one in list(waiting.items()):
            if one.answers in ready:
                answers[rank] = _answer(one)
                del waiting[rank]
                if answers[rank].failure:
                    seconds = _SECONDS_TO_END
    failures = [answer.failure for answer in answers.values() if answer.failure]
    if failures:
        raise min(failures, key=lambda failure: isinstance(failure, later))
    return [answers[rank].found for rank in range(len(running))]


def _answer(one: _Running) -> _Answer:
    try:
        answer: _Answer = one.answers.recv()
        return answer
    except (EOFError, OSError):
        one.process.join()
        why = f"{one.process.name}: ended with {one.process.exitcode}, as when memory runs out"
        return _Answer(failure=Temporary(f"{why}; want it to live until the end"))


def _child(act: Callable[[S], A], task: S, name: str, answers: Connection) -> None:
    """Be one process, from its start to its answer."""
    Thread(target=_end_with_parent, args=(answers,), daemon=True).start()
    try:
        answer = _Answer(found=act(task))
    except Exception as error:
        if is_bug(error):
            traceback.print_exc()
            error = RuntimeError(f"{name}: {type(error).__name__}: {error}")
        answer = _Answer(failure=error)
    answers.send(answer)


def _end_with_parent(answers: Connection) -> None:
    """End this process when the one that started it has died: nobody waits for what it does."""
    wait([answers])
    os._exit(_BUG)
