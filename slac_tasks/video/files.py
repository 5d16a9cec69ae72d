"""Clips of files that somebody has, evenly spread over a stretch of each.

Such files are strangers' originals. A program without secrets, one for each processor, forks a process for each file,
which gives up its rights before it opens it (`slac_tasks.video.apart`). The programs write pixels into pipes, and are
read in turn: so the order is that of the files, and a full pipe bounds what is decoded ahead.
"""

import json
import mmap
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import cv2
import numpy as np

from slac_tasks.children import environment, processors
from slac_tasks.errors import BrokenContract, Temporary
from slac_tasks.model import CLIP_SEC, View
from slac_tasks.progress import track
from slac_tasks.signals import left_to_us
from slac_tasks.video import apart
from slac_tasks.video.frames import Pixels, length_sec, read_clips
from slac_tasks.video.lost import Lost
from slac_tasks.video.pieces import UNDECODABLE
from slac_tasks.video.ring import clip_bytes, clip_shape

_FILES_PER_PROGRAM = 20
"""A program starts in the time in which another one decodes about so many."""
_BOUNDS = apart.Bounds(wall_sec=240, cpu_sec=120, memory_bytes=4 << 30)


class Stretch(NamedTuple):
    """A part of a video file."""

    path: Path
    start_sec: float = 0.0
    end_sec: float | None = None
    """None: where the file ends."""


def clips_of(stretches: Sequence[Stretch], view: View, *, most: int, what: str) -> Iterator[Pixels | Lost]:
    """Yield up to `most` clips of each stretch, or why there are none, in order.

    One clip is the stretch's middle; several are evenly spread, the first at its start and the last at its end. A clip
    is as long as the stretch where that is shorter than a clip.

    Args:
        stretches: what is wanted.
        view: how a clip is decoded.
        most: clips of one stretch.
        what: what the progress bar says.

    Yields:
        RGB, shape (clips, frames, size, size, 3).

    Raises:
        Temporary: a program was killed, as when memory runs out.

    """
    count = min(processors(), -(-len(stretches) // _FILES_PER_PROGRAM))
    with ExitStack() as stack:
        programs = []
        for _ in range(count):
            programs.append(stack.enter_context(_program()))
            stack.callback(programs[-1].kill)
        for first, program in enumerate(programs):
            asked = [(str(path.absolute()), *times) for path, *times in stretches[first::count]]
            assert program.stdin
            with suppress(BrokenPipeError):  # it is gone, which is noticed where its answer is read
                program.stdin.write(json.dumps([view, most, asked]).encode())
                program.stdin.close()
        for number in track(range(len(stretches)), len(stretches), what):
            found = programs[number % count].stdout
            assert found
            yield _answer(found, view, str(stretches[number].path))


def _program() -> "subprocess.Popen[bytes]":
    environ = environment("LD_LIBRARY_PATH", "VIRTUAL_ENV") | {"OPENBLAS_NUM_THREADS": "1"}
    with left_to_us():
        return subprocess.Popen(
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
        )


def _answer(program: IO[bytes], view: View, path: str) -> Pixels | Lost:
    line = program.readline()
    said: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {"clips": 1}
    if "lost" in said:
        return Lost(UNDECODABLE, said["lost"])
    size_bytes = said["clips"] * clip_bytes(view)
    data = program.read(size_bytes)
    if len(data) < size_bytes:
        raise Temporary(f"decoding {path}: a process was killed, as when memory runs out; want it to live")
    return np.frombuffer(data, np.uint8).reshape(said["clips"], *clip_shape(view))


def main() -> None:
    """Be one of the programs: decode what standard input asks for onto standard output."""
    cv2.setNumThreads(1)
    (frames, size), most, asked = json.load(sys.stdin)
    view, out = View(frames, size), sys.stdout.buffer
    for path, start_sec, end_sec in asked:
        work = partial(_decode, Stretch(Path(path), start_sec, end_sec), view, most)
        homes = [Path(sys.prefix), Path(sys.base_prefix)]
        with apart.run(work, most * clip_bytes(view), _BOUNDS, programs=homes, reads=[Path(path)]) as ended:
            count = next((n for n in range(1, most + 1) if ended.said == {"clips": str(n)}), 0)
            out.write(json.dumps({"clips": count} if count else {"lost": ended.fault}).encode() + b"\n")
            out.write(ended.memory[: count * clip_bytes(view)])
        out.flush()


def _decode(stretch: Stretch, view: View, most: int, memory: mmap.mmap) -> dict[str, str]:
    """Decode, in the process apart, and say how many clips there are, or what went wrong."""
    try:
        clips = _clips(stretch, view, most)
    except BrokenContract as error:
        return {"error": str(error)}
    np.frombuffer(memory, np.uint8)[: clips.size] = clips.reshape(-1)
    return {"clips": str(len(clips))}


def _clips(stretch: Stretch, view: View, most: int) -> Pixels:
    path, begin, end = stretch
    whole = length_sec(path)
    end = whole if end is None else min(end, whole)
    clip_sec = min(CLIP_SEC, end - begin)
    if clip_sec <= 0:
        raise BrokenContract(f"{path.name}: lasts {whole:.1f} s, the class is shown from {begin:.1f} s on")
    room = end - begin - clip_sec
    starts = begin + room * (np.linspace(0.0, 1.0, most) if most > 1 and room > 0 else np.array([0.5]))
    return read_clips(path, starts.tolist(), frames=view.frames, size=view.size, clip_sec=clip_sec)


if __name__ == "__main__":
    main()
