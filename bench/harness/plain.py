"""The loop that a user writes first, against which scoring is measured: torchvision's network on the original."""

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import torch
from torchvision import models

from bench.harness.costs import cost
from bench.harness.scoring import Scene
from slac_tasks.networks.registry import Architecture, Kind, architecture

_BATCH = 8


def timed(work: Callable[[], object], device: str) -> float:
    """Return the seconds of `work`, what it says kept from the screen: of the clock on a GPU, of all cores on the CPU.

    Processor seconds are throughput per core, and other work on the machine does not stretch them.
    """
    with contextlib.redirect_stderr(io.StringIO()):
        took = cost(work)
    return took.wall_sec if device == "cuda" else took.own_sec


def plain(made: Scene, name: str) -> float:
    """Return the seconds of the plain loop over all clips with one network; several networks are several such loops.

    A network that sees one frame is given the middle one.
    """
    where, entry = torch.device(made.device), architecture(name)
    network = models.get_model(entry.torchvision).eval().to(where)

    def loop() -> None:
        preset = models.get_weight(entry.hub).transforms()
        for batch in range(0, len(made.starts), _BATCH):
            clips = [preset(_seek(made.original, start, entry)) for start in made.starts[batch : batch + _BATCH]]
            with torch.no_grad():
                torch.sigmoid(network(torch.stack(clips).to(where))).cpu()

    return timed(loop, made.device)


def _seek(path: Path, start: float, entry: Architecture) -> torch.Tensor:
    """Return what a network sees of a clip, as PyAV's documentation seeks: (16, 3, h, w), or one frame (3, h, w)."""
    count = 1 if entry.kind is Kind.FRAME else entry.frames
    wanted = list(start + (np.arange(count) + 0.5) * 2 / count)
    frames = torch.from_numpy(np.stack(list(_frames(path, wanted)))).permute(0, 3, 1, 2)
    return frames[0] if entry.kind is Kind.FRAME else frames


def _frames(path: Path, wanted: list[float]) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the frame shown at each of the seconds; the video's last one, where it ends before."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        container.seek(int(wanted[0] / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            while wanted and frame.time + 1 / 60 >= wanted[0]:
                yield frame.to_ndarray(format="rgb24")
                wanted.pop(0)
            if not wanted:
                return
        for _ in wanted:
            yield frame.to_ndarray(format="rgb24")
