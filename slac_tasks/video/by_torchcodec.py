"""Clips of originals by torchcodec: on a card its decoder (NVDEC) and the scaling, on processors both there.

The clock, the checks and the shape of a picture are those of `slac_tasks.video.originals`: frame k of a rendition is
the last frame of the original that starts before (k + 1/2) / rate seconds after the first one, as ffmpeg's filter
`fps` has it. A video about which the two may differ is refused; whoever asked reads it by ffmpeg.

Only the program of a pool imports this module, and each piece is decoded in a process of its own, see
`slac_tasks.video.apart`. Of the card it has the devices of the driver, and no right beside them.
"""

import mmap
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchcodec
from numpy.typing import NDArray
from torch import Tensor
from torchcodec.decoders import VideoDecoder

from slac_tasks.collect.settings import Collect
from slac_tasks.errors import BrokenContract
from slac_tasks.model import View
from slac_tasks.video import apart
from slac_tasks.video.frames import Pixels, frame_numbers, middle, sized
from slac_tasks.video.originals import Probe, Rejected, judge, proxy_rate, rendition_size
from slac_tasks.video.pieces import NO_CARD, Done, Piece
from slac_tasks.video.probing import read_facts
from slac_tasks.video.ring import clip_shape

_AT_ONCE = 16
"""Frames that are decoded and scaled together: 1080p in float takes 400 MB."""
_JUST_BEFORE_SEC = 1e-6
"""A frame that starts in the middle between two of the proxy belongs to the second one, as ffmpeg rounds."""
_SIDES = {True: 128, False: 256}
"""Short side of the rendition for a view, by whether the view is small."""
_BOUNDS = {
    "cpu": apart.Bounds(wall_sec=240, cpu_sec=240, memory_bytes=4 << 30),
    "cuda": apart.Bounds(wall_sec=240, cpu_sec=240, memory_bytes=16 << 30, reserves=True),
}
"""A pool waits for 300 s. A card's driver takes memory of its own."""


class NoCard(Exception):
    """The card cannot be used, or has no memory left, whatever the video is."""


class Reader:
    """Decodes pieces of originals."""

    def __init__(self, device: str, *, max_pixels: int, max_duration_sec: float, min_duration_sec: float) -> None:
        """Take the device, cpu or cuda:0 and the like, and the settings of `collect` by which an original is judged."""
        self._device = device
        self._limits = Collect(
            max_pixels=max_pixels, max_duration_sec=max_duration_sec, min_duration_sec=min_duration_sec
        )

    def decode(self, path: Path, piece: Piece, slot: Mapping[View, Pixels]) -> Done:
        """Decode a piece into its rows of a slot."""
        shapes = {view: (len(piece.places), *clip_shape(view)) for view in piece.views}
        ends = np.cumsum([np.prod(shape) for shape in shapes.values()]).tolist()

        def views_of(memory: mmap.mmap) -> dict[View, Pixels]:
            begins = [0, *ends]
            return {
                view: np.frombuffer(memory, np.uint8, end - begin, begin).reshape(shape)
                for (view, shape), begin, end in zip(shapes.items(), begins, ends, strict=False)
            }

        def work(memory: mmap.mmap) -> dict[str, str]:
            return self._read(path, piece.start_secs, views_of(memory))

        kind = torch.device(self._device).type
        with apart.run(
            work, ends[-1], _BOUNDS[kind], programs=self._programs, reads=[path, *self._about_the_card],
            devices=self._devices,
        ) as ended:  # fmt: skip
            if ended.said == {}:
                found = views_of(ended.memory)
                for view in piece.views:
                    slot[view][list(piece.places)] = found[view]
                del found  # memory that is looked at cannot be given back
                return Done()
        if ended.said and "card" in ended.said:
            return Done(lost=ended.said["card"][: apart.FAULT], reason=NO_CARD)
        return Done(lost=f"{piece.proxy}: {ended.fault}"[: apart.FAULT])

    def _read(self, path: Path, start_secs: Sequence[float], clips: Mapping[View, Pixels]) -> dict[str, str]:
        """Decode, in the process apart, and say what went wrong."""
        torch.set_num_threads(1)
        try:
            read_clips(path, start_secs, clips, device=self._device, limits=self._limits)
        except NoCard as no:
            return {"card": str(no)}
        except (BrokenContract, Rejected) as no:
            return {"error": str(no)}
        return {}

    @cached_property
    def _programs(self) -> list[Path]:
        """Where the interpreter and the libraries lie that are loaded when they are needed."""
        homes = [Path(package.__file__).parents[1] for package in (torch, torchcodec) if package.__file__]
        return [Path(sys.prefix), Path(sys.base_prefix), *homes]

    @property
    def _devices(self) -> list[Path]:
        found = Path("/dev").glob("nvidia*") if self._device != "cpu" else []
        return [path for path in found if not path.is_dir()]

    @property
    def _about_the_card(self) -> list[Path]:
        """What CUDA reads of the system before it opens a card; nothing of it is a secret."""
        names = ("/proc/driver/nvidia", "/proc/devices", "/sys/devices", "/sys/bus/pci")
        return [Path(name) for name in names] if self._device != "cpu" else []


def read_clips(
    path: Path, start_secs: Sequence[float], clips: Mapping[View, Pixels], *, device: str, limits: Collect
) -> None:
    """Decode clips of an original.

    Args:
        path: the original.
        start_secs: where clips start, in seconds on its proxy's clock.
        clips: where they go, by view: RGB, (clips, frames, size, size, 3).
        device: which one decodes: cpu, or cuda:0 and the like.
        limits: what `fetch` takes.

    Raises:
        NoCard: the device cannot be used.
        Rejected: `fetch` would not take it.
        BrokenContract: it cannot be decoded, or not as ffmpeg does.

    """
    if device != "cpu":
        _try(device)
    try:
        _decode(path, start_secs, clips, device, limits)
    except (RuntimeError, IndexError, OSError, ValueError) as error:
        if device != "cpu" and "out of memory" in str(error).lower():  # torch's and the driver's error say it alike
            raise NoCard(f"{device}: out of memory") from error
        raise BrokenContract(f"torchcodec: {_first_line(error)}") from error


def _decode(
    path: Path, start_secs: Sequence[float], clips: Mapping[View, Pixels], device: str, limits: Collect
) -> None:
    """Decode clips as `read_clips`, whose errors are not only ours."""
    facts = read_facts(str(path.absolute()), limits.max_pixels)
    found = judge(facts, limits)
    if found.interlaced:
        raise BrokenContract("interlaced: ffmpeg takes the fields apart")
    first_sec, end_sec = facts["first_sec"], facts["end_sec"]
    if facts["picture_sec"] != first_sec:
        raise BrokenContract(f"first picture at {facts['picture_sec']} s, first packet at {first_sec} s")
    rate = proxy_rate(found.fps)
    count = max(1, round((end_sec - first_sec) * rate))
    numbers = {view: frame_numbers(start_secs, frames=view.frames, fps=rate, count=count) for view in clips}
    wanted = np.unique(np.concatenate([own.ravel() for own in numbers.values()]))
    places = {view: np.searchsorted(wanted, own) for view, own in numbers.items()}
    at_secs = np.minimum(first_sec + (wanted + 0.5) / rate, end_sec) - _JUST_BEFORE_SEC
    decoder = VideoDecoder(path, stream_index=facts["stream"], device=device)
    if device != "cpu" and decoder.cpu_fallback:
        why = str(decoder.cpu_fallback)
        raise NoCard(why) if "unavailable" in why else BrokenContract(why)
    sides = {view.small: _SIDES[view.small] for view in clips}
    for begin in range(0, len(wanted), _AT_ONCE):
        own = at_secs[begin : begin + _AT_ONCE]
        batch = decoder.get_frames_played_at(own.tolist())
        _check(batch.pts_seconds.cpu().numpy(), own, facts["gap_sec"])
        squares = {small: _squares(batch.data, found, side) for small, side in sides.items()}
        for view, pixels in clips.items():
            for at, square in enumerate(squares[view.small], start=begin):
                pixels[places[view] == at] = sized(square, view.size)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _try(device: str) -> None:
    """Use the card, before the first byte of a stranger's is read.

    Raises:
        NoCard: it cannot be used.

    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch that was built without CUDA asserts
        raise NoCard(f"{device}: {_first_line(error)}") from error


def _check(starts: NDArray[np.float64], at_secs: NDArray[np.float64], gap_sec: float) -> None:
    """Raise BrokenContract where a frame is not the one that is shown at a time, as of a file that lacks a part."""
    late = at_secs - starts
    if (late < 0).any() or (late > gap_sec + 2 * _JUST_BEFORE_SEC).any():
        raise BrokenContract(f"frames are shown {late.min():.3f} to {late.max():.3f} s before they are wanted")


def _squares(frames: Tensor, found: Probe, side: int) -> NDArray[np.uint8]:
    """Return the middle squares of frames (n, 3, h, w) as in the rendition with this short side: (n, side, side, 3)."""
    if tuple(frames.shape[-2:]) != (found.height, found.width):
        raise BrokenContract(f"frames of {tuple(frames.shape[-2:])}, want {(found.height, found.width)}")
    width, height = rendition_size(found, side)
    small = F.interpolate(frames.float(), (height, width), mode="bicubic", antialias=True)
    top, left, short = middle(width, height)
    square = small[..., top : top + short, left : left + short].round().clamp(0, 255).byte()
    pixels: NDArray[np.uint8] = square.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return pixels
