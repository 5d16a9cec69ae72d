"""Processes that decode clips into memory which they share with this one: for scoring, training and judging alike.

Pixels never pass through a pipe. A batch has a slot in the shared memory, workers write their clips into it, and what
travels is where they are. There are as many slots as the buffer has batches, so nothing is decoded further ahead.

A worker that dies, or does not answer for `patience_sec`, is replaced. What it was decoding is tried once more, by
another one, and is then lost with a reason; what only waited for it is decoded as if nothing had happened.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slac_tasks.children import environment
from slac_tasks.errors import BrokenContract, Temporary
from slac_tasks.model import View
from slac_tasks.signals import left_to_us
from slac_tasks.video.decoding import START, decode
from slac_tasks.video.frames import Pixels
from slac_tasks.video.lost import DIED, HUNG, Lost
from slac_tasks.video.pieces import Done, Piece, Task
from slac_tasks.video.ring import Shape, clip_shape, mapped, shared_file
from slac_tasks.video.sources import OpensMedia, Sources

PATIENCE_SEC = 300.0
"""No piece takes so long to decode; a worker that is silent for longer hangs."""

_TRIES = 2
_TASKS_OF_A_WORKER = 8
"""Tasks that a worker is given before it has answered, so that it need not wait for this process."""
_ENVIRONMENT = ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
"""What finds libraries, and numbers cards."""


class Cut(NamedTuple):
    """One clip: a stretch of a rendition."""

    proxy: str
    start_sec: float
    large: str = ""
    """The rendition for views that the small one is too small for; empty: `proxy` serves all views."""

    def source(self, view: View) -> str:
        """Return the rendition from which the view is decoded."""
        return self.proxy if view.small or not self.large else self.large


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """One batch."""

    pixels: Mapping[View, Pixels]
    """By view: (n, frames, size, size, 3), valid until the next batch is asked for."""
    lost: Mapping[int, Lost]
    """Rows that could not be decoded; their pixels mean nothing."""


@dataclass(kw_only=True, eq=False)
class _Share:
    """A piece of a batch on its way."""

    batch: int
    piece: Piece
    path: Path | None = None
    tries: int = 0


@dataclass(kw_only=True, eq=False)
class _Worker:
    """A process that decodes."""

    connection: Connection
    pid: int = 0
    """Known when it has answered for the first time."""
    shares: deque[_Share] = field(default_factory=deque)
    """What it was given and has not answered: the first one is being decoded."""
    since: float = 0.0
    """When it answered last, or was given something to do."""


@dataclass(kw_only=True, eq=False)
class _Open:
    """A batch on its way."""

    count: int
    due: int
    """Pieces that are not decoded."""
    lost: dict[int, Lost] = field(default_factory=dict)


class Pool:
    """Decodes batches of clips, in order, at most a buffer ahead."""

    def __init__(
        self, open_media: OpensMedia, views: Sequence[View], *, batch: int, buffer: int = 4, workers: int = 0,
        patience_sec: float = PATIENCE_SEC, originals: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Start the workers.

        Args:
            open_media: where the renditions are; it stays in this process.
            views: how each clip is decoded.
            batch: most clips in a batch.
            buffer: batches that are decoded ahead of the one that is asked for, that one included.
            workers: processes; 0: this one decodes, and nothing ahead.
            patience_sec: a worker that is silent for longer is killed.
            originals: the media are no renditions but originals; the arguments of `by_torchcodec.Reader`. There must
                be a worker.

        Raises:
            Temporary: there is no room for the shared memory.

        """
        self._open_media, self._views, self._patience_sec = open_media, tuple(dict.fromkeys(views)), patience_sec
        self._shape = Shape(views=self._views, batch=batch, slots=max(1, buffer))
        self._workers: list[_Worker] = []
        self._wanted_workers = workers
        self._program: subprocess.Popen[bytes] | None = None
        self._waiting: deque[_Share] = deque()
        self._open: dict[int, _Open] = {}
        self._number = self._deaths = 0
        self.memory: NDArray[np.uint8] | None = None
        """All shared memory, for those who pin it; None where this process decodes."""
        if workers:
            with shared_file(self._shape.size_bytes) as file:
                self.memory = np.frombuffer(mapped(file, self._shape), np.uint8)
                self._slots = self._shape.slots_of(self.memory)
                self._start(file, originals)
            self._sources: Sources[_Share] = Sources(open_media, 2 * workers)
            for _ in range(workers):
                self._hire()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers that have answered; none where this process decodes."""
        return [worker.pid for worker in self._workers if worker.pid]

    def close(self) -> None:
        """End the workers."""
        if self._program is None:
            return
        self._control.close()
        for worker in self._workers:
            worker.connection.close()
        self._workers.clear()
        self._program.wait()
        self._program = None
        self._sources.close()

    def batches(self, wanted: Iterable[Sequence[Cut | None]]) -> Iterator[Decoded]:
        """Return what each batch of clips becomes, in order; the first buffer is read now, and the rest as it empties.

        Args:
            wanted: the batches. A row that is None is left to the caller, who may write its pixels.

        Raises:
            Temporary: the renditions are out of reach, or workers die one after the other.
            NotConfigured: the store may not be read.

        """
        if not self._program:
            return (self._decoded_here(cuts) for cuts in wanted)
        # Of a loop that was left in its middle: its slots are written until its last piece is decoded.
        self._open.clear()
        self._deal()
        while any(worker.shares for worker in self._workers):
            self._receive()
        rest = iter(wanted)
        self._fill(rest)
        return self._shared_batches(rest)

    def _decoded_here(self, cuts: Sequence[Cut | None]) -> Decoded:
        pixels = {view: np.zeros((len(cuts), *clip_shape(view)), np.uint8) for view in self._views}
        lost: dict[int, Lost] = {}
        for piece in _pieces(cuts, self._views):
            try:
                with self._open_media(piece.proxy) as path:
                    done = decode(path, piece, pixels)
            except BrokenContract as error:
                lost.update(dict.fromkeys(piece.places, Lost.of(error)))
                continue
            if done.lost:
                lost.update(dict.fromkeys(piece.places, Lost(done.reason, done.lost)))
        return Decoded(pixels=pixels, lost=lost)

    def _shared_batches(self, wanted: Iterator[Sequence[Cut | None]]) -> Iterator[Decoded]:
        while self._open:
            following = min(self._open)
            while self._open[following].due:
                self._receive()
            found = self._open[following]
            slot = self._slots[following % self._shape.slots]
            yield Decoded(pixels={view: pixels[: found.count] for view, pixels in slot.items()}, lost=found.lost)
            # A loop over other batches may have begun, which forgets this one's.
            self._open.pop(following, None)
            self._fill(wanted)
            self._receive(wait_sec=0)

    def _fill(self, wanted: Iterator[Sequence[Cut | None]]) -> None:
        while len(self._open) < self._shape.slots and (cuts := next(wanted, None)) is not None:
            if len(cuts) > self._shape.batch:
                raise ValueError(f"batch of {len(cuts)} clips, want at most {self._shape.batch}")
            pieces = list(_pieces(cuts, self._views))
            self._open[self._number] = _Open(count=len(cuts), due=len(pieces))
            for piece in pieces:
                self._sources.take(piece.proxy, _Share(batch=self._number, piece=piece))
            self._number += 1

    def _receive(self, wait_sec: float | None = None) -> None:
        """Wait for something to happen, and deal with all that has."""
        now = time.monotonic()
        busy = [worker for worker in self._workers if worker.shares]
        if wait_sec is None and busy:
            wait_sec = max(0.0, min(worker.since for worker in busy) + self._patience_sec - now)
        by_connection = {worker.connection: worker for worker in self._workers}
        found = wait([self._sources.bell, *by_connection], wait_sec)
        for worker in [by_connection[one] for one in found if isinstance(one, Connection)]:
            self._answers(worker)
        for share, path in self._sources.arrived():
            self._arrives(share, path.result)
        for worker in busy:
            if worker.shares and worker in self._workers and time.monotonic() - worker.since > self._patience_sec:
                self._replace(worker, HUNG)
        self._deal()

    def _answers(self, worker: _Worker) -> None:
        """Take all answers of a worker that has some, or has died."""
        try:
            while worker.connection.poll():
                done: Done | int = worker.connection.recv()
                worker.since = time.monotonic()
                if isinstance(done, int):
                    worker.pid = done
                    continue
                self._deaths = 0
                share = worker.shares.popleft()
                if done.bug:
                    raise RuntimeError(done.bug)
                self._finish(share, Lost(done.reason, done.lost) if done.lost else None)
        except (EOFError, OSError):
            self._replace(worker, DIED)

    def _arrives(self, share: _Share, path: Callable[[], Path]) -> None:
        """Let a piece wait for a worker, now that its rendition is open."""
        try:
            share.path = path()
        except BrokenContract as error:
            self._finish(share, Lost.of(error))
        else:
            self._waiting.append(share)

    def _deal(self) -> None:
        """Give what waits to the workers that have the least to do."""
        while self._waiting:
            worker = min(self._workers, key=lambda one: sum(len(share.piece.places) for share in one.shares))
            if len(worker.shares) >= _TASKS_OF_A_WORKER:
                return
            share = self._waiting.popleft()
            if share.batch not in self._open:
                self._sources.give_back(share.piece.proxy)
                continue
            if not worker.shares:
                worker.since = time.monotonic()
            worker.shares.append(share)
            assert share.path
            # Where this fails the worker has died, and its end of the connection says so.
            with suppress(OSError):
                worker.connection.send(Task(share.path, share.batch % self._shape.slots, share.piece))

    def _finish(self, share: _Share, lost: Lost | None) -> None:
        """Note what became of a piece."""
        self._sources.give_back(share.piece.proxy)
        if batch := self._open.get(share.batch):
            batch.due -= 1
            if lost:
                batch.lost.update(dict.fromkeys(share.piece.places, lost))

    def _replace(self, worker: _Worker, why: str) -> None:
        """Put another worker in the place of one that died or hangs.

        Raises:
            Temporary: they die one after the other.

        """
        if worker.pid:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
        worker.connection.close()
        self._workers.remove(worker)
        self._deaths += 1
        if self._deaths > 2 * self._wanted_workers + _TRIES:
            raise _killed()
        self._hire()
        if worker.shares:
            suspect = worker.shares.popleft()
            suspect.tries += 1
            if suspect.tries < _TRIES:
                worker.shares.appendleft(suspect)
            else:
                what = f"{suspect.piece.proxy}: {suspect.tries} processes that decoded it were lost, the last one {why}"
                self._finish(suspect, Lost(why, what))
        self._waiting.extendleft(reversed(worker.shares))

    def _start(self, memory: int, originals: Mapping[str, Any] | None) -> None:
        """Start the program that forks the workers."""
        self._control, theirs = socket.socketpair()
        paths = [str(Path(path).absolute()) for path in sys.path]
        words = [sys.executable, "-c", START, json.dumps(paths), json.dumps([memory, theirs.fileno(), originals])]
        # A library of linear algebra would start a thread for each processor, and forks do not take them along.
        environ = environment(*_ENVIRONMENT) | {"OPENBLAS_NUM_THREADS": "1"}
        with left_to_us():
            self._program = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, pass_fds=(memory, theirs.fileno()), env=environ
            )
        theirs.close()

    def _hire(self) -> None:
        """Have the program fork one more worker.

        Raises:
            Temporary: it was killed.

        """
        own, theirs = socket.socketpair()
        connection = Connection(own.detach())
        try:
            with theirs:
                socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            connection.send(self._shape)
        except OSError as error:
            connection.close()
            raise _killed() from error
        self._workers.append(_Worker(connection=connection, since=time.monotonic()))


def _pieces(cuts: Sequence[Cut | None], views: Sequence[View]) -> Iterator[Piece]:
    """Yield the clips of a batch rendition by rendition: each is opened once."""
    wanted: dict[str, tuple[list[int], list[View]]] = {}
    for place, cut in enumerate(cuts):
        for view in views if cut else ():
            assert cut
            places, own = wanted.setdefault(cut.source(view), ([], []))
            if not places or places[-1] != place:
                places.append(place)
            if view not in own:
                own.append(view)
    for proxy, (places, own) in wanted.items():
        yield Piece(proxy, tuple(places), tuple(cut.start_sec for at in places if (cut := cuts[at])), tuple(own))


def _killed() -> Temporary:
    return Temporary("decoding: processes of it were killed, as when memory runs out; want them to live until the end")
