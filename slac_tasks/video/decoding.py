"""The program that decodes clips for a pool. It imports no torch, so it starts quickly, and it is given no secrets.

It imports the decoders once and then forks itself for each worker that it is asked for: eight workers start as fast as
one, and one that died is replaced at once. A process of `multiprocessing` would import the caller's main module first,
and with it torch: seconds for each worker.
"""

import ctypes
import json
import mmap
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2

from slac_tasks.errors import BrokenContract
from slac_tasks.model import View
from slac_tasks.video.frames import Pixels, read_clips
from slac_tasks.video.pieces import NO_TORCHCODEC, Decode, Done, Piece, Task
from slac_tasks.video.ring import Shape, mapped

START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from slac_tasks.video.decoding import serve; serve()"
"""What Python runs; the first argument are the folders of the caller's packages, the second two descriptors and how
originals are decoded."""

_PR_SET_PDEATHSIG = 1


def decode(path: Path, piece: Piece, slot: Mapping[View, Pixels]) -> Done:
    """Decode a piece of a rendition into its rows of a slot."""
    try:
        for view in piece.views:
            slot[view][list(piece.places)] = read_clips(path, piece.start_secs, frames=view.frames, size=view.size)
    except BrokenContract as error:
        return Done(lost=str(error))
    return Done()


def _decode_by_torchcodec(originals: Mapping[str, Any]) -> Decode:
    """Return what decodes pieces of originals; torch is imported here, once for all workers."""
    try:
        from slac_tasks.video.by_torchcodec import Reader
    except Exception as error:  # absent, or libraries of its are: how that is said differs from version to version
        said = str(error).strip().splitlines() or [""]
        answer = Done(lost=f"{type(error).__name__}: {said[0]}"[:500], reason=NO_TORCHCODEC)
        return lambda *_: answer
    return Reader(**originals).decode


def serve() -> None:
    """Be the program that a pool starts: fork a worker for each connection that it sends, until it ends."""
    memory, control, originals = json.loads(sys.argv[2])
    how = _decode_by_torchcodec(originals) if originals else decode
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that end
    cv2.setNumThreads(1)
    requests = socket.socket(fileno=control)
    while True:
        found, descriptors, _, _ = socket.recv_fds(requests, 1, 1)
        if not found:
            os._exit(0)
        if not os.fork():
            requests.close()
            _end_with_the_program()
            _work(memory, Connection(descriptors[0]), how)
            os._exit(0)
        os.close(descriptors[0])


def _end_with_the_program() -> None:
    """Let this process be killed when the program ends, where the system is Linux: it may be deep in a video."""
    if prctl := getattr(ctypes.CDLL(None), "prctl", None):
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _work(memory: int, pool: Connection, how: Decode) -> None:
    """Decode until the pool closes the connection, or its process dies, which closes it as well."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a process apart is waited for
    with suppress(EOFError, OSError):
        pool.send(os.getpid())
        shape: Shape = pool.recv()
        ring = mapped(memory, shape)
        if hasattr(mmap, "MADV_DONTFORK"):
            ring.madvise(mmap.MADV_DONTFORK)  # a process apart shall not write what others decode
        slots = shape.slots_of(ring)
        while True:
            task: Task = pool.recv()
            try:
                done = how(task.path, task.piece, slots[task.slot])
            except Exception as error:
                done = Done(bug=f"decoding {task.piece.proxy}: {type(error).__name__}: {error}")
            pool.send(done)
