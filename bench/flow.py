"""Optical flow on tensors against OpenCV's, and both against the truth: `python -m bench.flow [--quick | --gpu]`.

Flow is Farneback's, with OpenCV's parameters in both. Clips are what a flow member sees: 16 frames of 112 pixels.

  real    clips of real videos: how far the motions of tensors end from those of OpenCV
  world   backgrounds of the generated world that are shifted, turned and zoomed: how far both end from the true motion
          of each pixel that stays in the picture

The end-point error is in pixels, a mean over all pixels. Milliseconds are a processor's for one clip, on one thread;
with `--gpu`, also those of a card for one clip of a batch, pixels on the card to planes on the card, and how far its
motions end from OpenCV's. The last line is one JSON object.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.harness import Absent, Bench, Figures, Seed
from bench.harness.costs import cost
from bench.harness.places import shared
from bench.harness.tables import table
from slac_tasks.networks.farneback import motions
from slac_tasks.networks.flow import by_opencv, flow_pixels, grey
from slac_tasks.networks.registry import architecture
from slac_tasks.video.frames import length_sec, read_clips
from slac_tasks.world.scene import place

Array = NDArray[np.float64]
VIEW = architecture("flow_r3d_18").view
ROUNDS = 10


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is looked at."""

    clips: Annotated[int, "real clips"] = 96
    moved: Annotated[int, "clips of the generated world"] = 48
    real: Annotated[Path | None, "folder of real videos, mp4; none: the shared exercises beside the checkout"] = None
    gpu: Annotated[bool, "measure the GPU too"] = False
    batch: Annotated[int, "clips at a time on the GPU"] = 64
    seed: Seed = 0


def real_clips(folder: Path, number: int) -> Tensor:
    """Return the middle clip of so many videos; uint8 (clips, 16, 112, 112, 3)."""
    files = sorted(folder.rglob("*.mp4"))
    pixels = []
    for path in files[:: max(1, len(files) // number)][:number]:
        length = length_sec(path)
        clip_sec = min(2.0, length)
        start = (length - clip_sec) / 2
        pixels.append(read_clips(path, [start], frames=VIEW.frames, size=VIEW.size, clip_sec=clip_sec))
    return torch.from_numpy(np.concatenate(pixels))


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Clips of which the motion is known."""

    pixels: Tensor
    """uint8 (clips, frames, h, w, 3)."""
    truth: Tensor
    """(frames - 1, clips, 2, h, w), in pixels; NaN where the next frame does not show the place."""


def moved_clips(number: int, seed: int) -> Moved:
    """Shift, turn and zoom backgrounds of the world, a third of them each."""
    pixels, truth = [], []
    for clip in range(number):
        chance = np.random.default_rng((seed, clip))
        amount = chance.uniform(-1, 1, 2)
        background = place(seed, clip)
        centre = np.array([background.shape[1], background.shape[0]]) / 2
        matrices = [_matrix(clip % 3, at, amount, centre) for at in range(VIEW.frames)]
        pixels.append([cv2.warpAffine(background, one[:2], (VIEW.size, VIEW.size)) for one in matrices])
        truth.append([_motion(before, after) for before, after in pairwise(matrices)])
    return Moved(
        pixels=torch.from_numpy(np.array(pixels)), truth=torch.from_numpy(np.array(truth)).transpose(0, 1).float()
    )


def _matrix(kind: int, at: int, amount: Array, centre: Array) -> Array:
    """Return what maps a place of the background to one of frame `at`, (3, 3).

    Args:
        kind: 0: shifted by up to 3 pixels a frame; 1: turned by up to 2 degrees; 2: zoomed by up to 2 per cent.
        at: number of the frame.
        amount: how much of that, two numbers from -1 to 1.
        centre: of the background; it begins in the middle of the frame.

    """
    turn, zoom = 2.0 * amount[0] * at * (kind == 1), (1 + 0.02 * amount[0] * (kind == 2)) ** at
    matrix = np.eye(3)
    matrix[:2] = cv2.getRotationMatrix2D(centre.tolist(), turn, zoom)
    matrix[:2, 2] += VIEW.size / 2 - centre + 3.0 * amount * at * (kind == 0)
    return matrix


def _motion(before: Array, after: Array) -> Array:
    """Return how far each pixel moves between two frames, (2, h, w); NaN where it leaves the picture."""
    y, x = np.mgrid[: VIEW.size, : VIEW.size].astype(float)
    here = np.stack([x, y, np.ones_like(x)])
    there = np.tensordot(after @ np.linalg.inv(before), here, 1)[:2]
    leaves = ((there < 0) | (there > VIEW.size - 1)).any(0)
    return np.where(leaves, np.nan, there - here[:2])


def apart(found: Tensor, want: Tensor) -> Tensor:
    """Return the end-point errors in pixels, of all places where `want` is known."""
    errors: Tensor = (found - want).norm(dim=2)
    return errors[~errors.isnan()]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenCV and torch use one thread: processor time is then comparable."""
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])


def on_processors(clips: dict[str, Tensor], truth: Tensor) -> dict[str, float | None]:
    """Return the errors of both ways on a processor and their milliseconds, and print them."""
    seen = {name: grey(some).transpose(0, 1) for name, some in clips.items()}
    found: dict[str, dict[str, Tensor]] = {}
    spent: dict[str, float] = {}

    def all_by(way: str, act: Callable[[Tensor], Tensor]) -> None:
        found[way] = {name: act(one) for name, one in seen.items()}

    with one_thread():
        for way, act in (("opencv", by_opencv), ("tensors", partial(_in_parts, size=4))):
            spent[way] = 1000 * cost(partial(all_by, way, act)).own_sec / sum(map(len, clips.values()))
    figures: dict[str, float | None] = {f"{way}_ms": value for way, value in spent.items()}
    for name in seen:
        figures |= _distance(name, found["tensors"][name], found["opencv"][name])
    for way in found:
        figures[f"world_truth_{way}"] = float(apart(found[way]["world"], truth).mean())
    return figures


def _in_parts(seen: Tensor, size: int, where: str = "cpu") -> Tensor:
    """Return motions on the CPU, found on a device, so many clips at a time."""
    parts = [seen[:, begin : begin + size] for begin in range(0, seen.shape[1], size)]
    return torch.cat([motions(part.to(where)).cpu() for part in parts], 1)


def _distance(name: str, found: Tensor, opencv: Tensor) -> dict[str, float | None]:
    errors = apart(found, opencv)
    return {
        f"{name}_opencv": float(errors.mean()),
        f"{name}_opencv_over_tenth": float((errors > 0.1).float().mean()),
    }


def on_card(clips: dict[str, Tensor], batch: int) -> dict[str, float | None]:
    """Return the milliseconds of a card for one clip, and how far its motions end from OpenCV's.

    Raises:
        Absent: there is no card.

    """
    if not torch.cuda.is_available():
        raise Absent("a GPU")
    figures: dict[str, float | None] = {}
    for name, some in clips.items():
        seen = grey(some).transpose(0, 1)
        figures |= _distance(f"card_{name}", _in_parts(seen, batch, "cuda"), by_opencv(seen))
    some = torch.cat(list(clips.values()))
    there = some[torch.arange(batch) % len(some)].cuda()
    figures["card_ms"] = 1000 * _seconds(lambda: flow_pixels(there)) / batch
    figures["card_peak_gb"] = torch.cuda.max_memory_allocated() / 1e9
    return figures


def _seconds(act: Callable[[], object]) -> float:
    """Return the seconds that a card takes for something."""
    for _ in range(3):
        act()
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(ROUNDS):
        act()
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / ROUNDS


def measure(size: Size, folder: Path) -> Figures:
    """Compare on real and on generated clips."""
    moved = moved_clips(size.moved, size.seed)
    clips = {"world": moved.pixels}
    if real := size.real or shared("real"):
        clips["real"] = real_clips(real, size.clips)
    figures: dict[str, float | None] = dict.fromkeys(("real_opencv", "real_opencv_over_tenth", "card_ms"))
    figures |= on_processors(clips, moved.truth)
    if size.gpu:
        figures |= on_card(clips, size.batch)
    print(table({"figure": "", "value": ".5f"}, sorted(figures.items())))
    return figures | {"scale": size.moved / Size().moved}


BENCH = Bench(
    name="flow", doc=__doc__, measure=measure,
    full=Size(), quick=Size(clips=24, moved=12), tiny=Size(clips=1, moved=3, batch=2),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
