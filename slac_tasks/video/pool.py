"""Processes that decode clips into memory which they share with this one. They import no torch, so they start quickly.

One program is started. It imports the decoders once and then forks itself, so that eight workers start as fast as one.
A process of `multiprocessing` would import the caller's main module first, and with it torch: seconds for each worker.

Pixels never pass through a pipe. A batch has a slot in the shared memory, workers write their clips into it, and what
travels is where they are. There are as many slots as the buffer has batches, so nothing is decoded further ahead.
"""

import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Protocol

import cv2
import numpy as np

from slac_tasks import errors
from slac_tasks.errors import BrokenContract, SlacError, Temporary
from slac_tasks.model import View
from slac_tasks.video.flow import farneback
from slac_tasks.video.frames import Pixels, read_clips

_START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from slac_tasks.video.pool import serve; serve()"
"""The worker finds the same packages as this process, however this one found them."""


class OpensMedia(Protocol):
    """Gives a local path of a media object for the length of a block; it is sent to the workers."""

    def __call__(self, name: str, /) -> AbstractContextManager[Path]:
        """Return a context manager for the object of this name."""


class Cut(NamedTuple):
    """One clip: a stretch of a rendition."""

    proxy: str
    start_sec: float


class _Piece(NamedTuple):
    """Clips of one rendition in one batch, which are decoded together."""

    proxy: str
    places: tuple[int, ...]
    """Their rows in the batch."""
    start_secs: tuple[float, ...]


class _Task(NamedTuple):
    """One worker's share of a batch."""

    number: int
    pieces: tuple[_Piece, ...]


class _Setup(NamedTuple):
    """What a worker is sent first: nothing in it grows with the data set."""

    open_media: OpensMedia
    view: View
    batch: int
    buffer: int


class _Done(NamedTuple):
    """What a worker answers."""

    number: int
    lost: Mapping[int, str]
    """Rows of the batch that cannot be decoded, with the reason."""
    failure: tuple[str, str] | None
    """(class of the error, its message) of what is no fault of a clip."""


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """One batch."""

    pixels: Pixels
    """(n, frames, size, size, 3), valid until the next batch is asked for."""
    lost: Mapping[int, str]
    """Rows that could not be decoded, with the reason; their pixels mean nothing."""


class Pool:
    """Decodes batches of clips, in order, at most a buffer ahead."""

    def __init__(self, open_media: OpensMedia, view: View, *, batch: int, buffer: int = 4, workers: int = 0) -> None:
        """Start the workers.

        Args:
            open_media: where the renditions are; sent to the workers.
            view: how a clip is decoded.
            batch: most clips in a batch.
            buffer: batches that are decoded ahead of the one that is asked for, that one included.
            workers: processes; 0: this one decodes, and nothing ahead.

        """
        self._setup = _Setup(open_media, view, batch, max(1, buffer))
        self._workers: list[Connection] = []
        self._program: subprocess.Popen[bytes] | None = None
        self._answers_due = 0
        self._number = 0
        if workers:
            with _shared(_slot_bytes(self._setup) * self._setup.buffer) as file:
                self._slots = _slots(file.fileno(), self._setup)
                self._start(workers, file.fileno())

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    @property
    def program(self) -> int | None:
        """Process id of the program that was started; None where this process decodes."""
        return self._program.pid if self._program else None

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.close()
        self._workers.clear()
        if self._program:
            self._program.wait()
            self._program = None

    def batches(self, wanted: Iterable[Sequence[Cut]]) -> Iterator[Decoded]:
        """Yield what each batch of clips becomes, in order; `wanted` is read a buffer ahead.

        Raises:
            Temporary: the renditions are out of reach, or a worker was killed.
            NotConfigured: the store may not be read.

        """
        if not self._workers:
            for cuts in wanted:
                pixels = np.zeros((len(cuts), *_clip_shape(self._setup.view)), np.uint8)
                yield Decoded(pixels=pixels, lost=_decode(_pieces(cuts), pixels, self._setup))
            return
        yield from self._shared_batches(iter(wanted))

    def _shared_batches(self, wanted: Iterator[Sequence[Cut]]) -> Iterator[Decoded]:
        while self._answers_due:  # of a loop that was left in its middle
            self._receive({})
        open_: dict[int, _Open] = {}
        following = self._number
        while True:
            while len(open_) < self._setup.buffer and (cuts := next(wanted, None)) is not None:
                open_[self._number] = _Open(count=len(cuts), due=self._send(cuts), lost={})
                self._number += 1
            if not open_:
                return
            while open_[following].due:
                self._receive(open_)
            found = open_[following]
            slot = self._slots[following % self._setup.buffer]
            yield Decoded(pixels=slot[: found.count], lost=found.lost)
            del open_[following]
            following += 1

    def _send(self, cuts: Sequence[Cut]) -> int:
        """Deal a batch to the workers; return how many of them will answer."""
        if len(cuts) > self._setup.batch:
            raise ValueError(f"batch of {len(cuts)} clips, want at most {self._setup.batch}")
        shares: list[list[_Piece]] = [[] for _ in self._workers]
        loads = [0] * len(self._workers)
        for piece in sorted(_pieces(cuts), key=lambda piece: -len(piece.places)):
            # Each batch begins with another worker, so that the first one does not always have the most.
            least = min(range(len(loads)), key=lambda at: (loads[at], (at - self._number) % len(loads)))
            shares[least].append(piece)
            loads[least] += len(piece.places)
        due = 0
        for worker, pieces in zip(self._workers, shares, strict=True):
            if pieces:
                try:
                    worker.send(_Task(self._number, tuple(pieces)))
                except OSError as error:
                    raise _killed() from error
                due += 1
        self._answers_due += due
        return due

    def _receive(self, open_: "Mapping[int, _Open]") -> None:
        for worker in wait(self._workers):
            assert isinstance(worker, Connection)
            try:
                done: _Done = worker.recv()
            except (EOFError, OSError) as error:
                raise _killed() from error
            self._answers_due -= 1
            if done.failure:
                raise _raised(*done.failure)
            if batch := open_.get(done.number):
                batch.due -= 1
                batch.lost.update(done.lost)

    def _start(self, workers: int, memory: int) -> None:
        pairs = [socket.socketpair() for _ in range(workers)]
        theirs = [pair[1].fileno() for pair in pairs]
        paths = [str(Path(path).absolute()) for path in sys.path]
        words = [sys.executable, "-c", _START, json.dumps(paths), json.dumps([memory, *theirs])]
        self._program = subprocess.Popen(words, stdin=subprocess.DEVNULL, pass_fds=(memory, *theirs))
        for own, their in pairs:
            their.close()
            self._workers.append(Connection(own.detach()))
        for worker in self._workers:
            try:
                worker.send(self._setup)
            except OSError as error:
                raise _killed() from error


@dataclass(kw_only=True)
class _Open:
    """A batch on its way."""

    count: int
    due: int
    """Workers that have not answered."""
    lost: dict[int, str]


def _pieces(cuts: Sequence[Cut]) -> Iterator[_Piece]:
    """Yield the clips of a batch rendition by rendition: each is opened once."""
    by_proxy: dict[str, list[int]] = {}
    for place, cut in enumerate(cuts):
        by_proxy.setdefault(cut.proxy, []).append(place)
    for proxy, places in by_proxy.items():
        yield _Piece(proxy, tuple(places), tuple(cuts[place].start_sec for place in places))


def _clip_shape(view: View) -> tuple[int, int, int, int]:
    return view.frames, view.size, view.size, 3


def _slot_bytes(setup: _Setup) -> int:
    return setup.batch * int(np.prod(_clip_shape(setup.view)))


def _shared(size: int) -> IO[bytes]:
    """Return a file without a name of this size, in memory where the system can."""
    # /dev/shm is 64 MiB in a container, whatever memory it has; a memory file is not bound by that.
    memory = hasattr(os, "memfd_create")
    file = os.fdopen(os.memfd_create("slac-clips"), "r+b") if memory else tempfile.TemporaryFile(prefix="slac-")
    os.truncate(file.fileno(), size)
    return file


def _slots(descriptor: int, setup: _Setup) -> list[Pixels]:
    size = _slot_bytes(setup)
    memory = mmap.mmap(descriptor, size * setup.buffer)
    shape = (setup.batch, *_clip_shape(setup.view))
    return [np.frombuffer(memory, np.uint8, size, at * size).reshape(shape) for at in range(setup.buffer)]


def _decode(pieces: Iterable[_Piece], pixels: Pixels, setup: _Setup) -> dict[int, str]:
    """Decode pieces into their rows; return the rows that cannot be decoded, with the reason."""
    lost: dict[int, str] = {}
    view = setup.view
    for piece in pieces:
        try:
            with setup.open_media(piece.proxy) as path:
                found = read_clips(path, piece.start_secs, frames=view.frames, size=view.size)
        except BrokenContract as error:  # NotMade too: a takedown removes the bytes at once
            lost.update(dict.fromkeys(piece.places, str(error)))
        else:
            pixels[list(piece.places)] = farneback(found) if view.flow else found
    return lost


def _killed() -> Temporary:
    return Temporary("decoding: a process of it was killed, as when memory runs out; want it to live until the end")


def _raised(kind: str, message: str) -> Exception:
    known = getattr(errors, kind, None)
    return known(message) if isinstance(known, type) and issubclass(known, SlacError) else RuntimeError(message)


def serve() -> None:
    """Be the program that a pool starts: fork a worker for each connection, and wait for them."""
    memory, *connections = json.loads(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the pool ends its workers
    cv2.setNumThreads(1)
    for at, descriptor in enumerate(connections):
        # The last worker is this process itself, after the others were forked.
        if at + 1 == len(connections) or not os.fork():
            for other in connections[at + 1 :]:
                os.close(other)
            _serve_one(memory, Connection(descriptor))
            break
        os.close(descriptor)
    while True:
        with suppress(ChildProcessError):
            os.wait()
            continue
        os._exit(0)


def _serve_one(memory: int, connection: Connection) -> None:
    """Decode until the pool closes the connection, or its process dies, which closes it as well."""
    with suppress(EOFError, OSError):
        setup: _Setup = connection.recv()
        slots = _slots(memory, setup)
        while True:
            task: _Task = connection.recv()
            lost: Mapping[int, str] = {}
            failure = None
            try:
                lost = _decode(task.pieces, slots[task.number % setup.buffer], setup)
            except SlacError as error:
                failure = (type(error).__name__, str(error))
            except Exception as error:
                failure = ("", f"decoding: {type(error).__name__}: {error}")
            connection.send(_Done(task.number, lost, failure))
