"""Dense features of whole videos: what a frozen network makes of two seconds around every fourth frame.

A network is trained on clips of two seconds, so it is shown windows of two seconds. A window stands in the middle of
each cell of `stride` frames, so that T cells cover the video from its first frame to its last. Where a window reaches
over an end of the video, the frame at that end stands for what is missing (ours).

Each frame is decoded once: the pool decodes the video as stretches of two seconds that hold every frame, and the
windows are taken from them on the device.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slac_tasks.errors import BrokenContract
from slac_tasks.model import CLIP_SEC, MISSING_FRAMES, View
from slac_tasks.networks.inference import Extractor
from slac_tasks.video.clips import chunks
from slac_tasks.video.frames import frame_numbers, rate_and_count
from slac_tasks.video.lost import Lost
from slac_tasks.video.originals import RATES
from slac_tasks.video.pool import Cut, Decoded, Pool
from slac_tasks.video.sources import OpensMedia

STRIDE_FRAMES = 4
"""Frames from one feature to the next, as THUMOS14's I3D features in ActionFormer have it: 6 to 7.5 in a second."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

TOO_SHORT, TOO_FAST = "too short", "too many frames a second"
"""Reasons why a rendition has no features, beside those of the pool."""

_FRAMES = round(max(RATES) * CLIP_SEC)
"""Frames that are asked for of a stretch of two seconds: at a slower rate some come twice, and none is left out."""
_STRETCHES = 8
"""Stretches in a batch of the pool: 16 seconds."""
_WINDOWS = 32
"""Windows that are taken from the frames at a time."""


@dataclass(frozen=True, kw_only=True)
class Film:
    """A video that is looked at: its renditions, as `slac_tasks.video.originals` makes them."""

    name: str
    """What it is called in the results."""
    proxy: str
    """Name of the small rendition, for what opens media."""
    large: str = ""
    """Name of the large one, for networks that see more than the small one shows; empty: `proxy` serves all."""

    def source(self, view: View) -> str:
        """Return the rendition that a network with this view reads."""
        return Cut(self.proxy, 0.0, self.large).source(view)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How features lie on a video's own clock."""

    fps: float
    frames: int
    """Frames of the video."""
    stride_frames: int = STRIDE_FRAMES

    @property
    def count(self) -> int:
        """Number of features, T."""
        return -(-self.frames // self.stride_frames)

    @property
    def stride_sec(self) -> float:
        """Seconds from one feature to the next."""
        return self.stride_frames / self.fps

    @property
    def offset_sec(self) -> float:
        """Where the middle of the first feature's window lies, in seconds: in the middle of its cell."""
        return self.stride_sec / 2

    @property
    def duration_sec(self) -> float:
        """Length of the video in seconds."""
        return self.frames / self.fps

    def windows(self, frames: int) -> Ints:
        """Return the numbers of the frames that each window shows: (T, frames), each inside the video."""
        middles = (np.arange(self.count) + 0.5) * self.stride_frames
        steps = (np.arange(frames) + 0.5) * (CLIP_SEC / frames) - CLIP_SEC / 2
        numbers = np.floor(middles[:, None] + steps * self.fps + 1e-6).astype(np.int64)
        return numbers.clip(0, self.frames - 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense:
    """The features of one video."""

    name: str
    clock: Clock
    values: Floats
    """(T, C): row i is the window around `clock.offset_sec + i * clock.stride_sec`."""


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """A video without features."""

    name: str
    lost: Lost


def dense_features(
    films: Iterable[Film],
    extractor: Extractor,
    open_media: OpensMedia,
    *,
    stride_frames: int = STRIDE_FRAMES,
    workers: int = 0,
) -> Iterator[Dense | Unseen]:
    """Yield the features of each video, in order; one that cannot be read holds up no other.

    Args:
        films: the videos.
        extractor: the frozen network, and the device that it runs on.
        open_media: where the renditions are.
        stride_frames: frames from one feature to the next.
        workers: processes that decode; 0: this one does, between the batches of the network.

    Raises:
        Temporary: the renditions are out of reach, or memory does not suffice for a single window.

    """
    view = View(_FRAMES, extractor.entry.size)
    begun: list[_Begun | Unseen] = []

    def wanted() -> Iterator[list[Cut | None]]:
        for film in films:
            each = _begin(film, extractor, open_media, stride_frames)
            begun.append(each)
            if isinstance(each, _Begun):
                yield from each.batches()

    # Two batches for each worker: one is decoded while the other is looked at.
    with Pool(open_media, [view], batch=_STRETCHES, buffer=max(2, 2 * workers), workers=workers) as pool:
        found = pool.batches(wanted())
        while True:
            decoded = next(found, None)
            # A film that cannot be opened has no batches, so several may have begun since the last batch.
            while begun and (isinstance(begun[0], Unseen) or begun[0].is_done):
                yield _result(begun.pop(0))
            if decoded is None:
                return
            current = begun[0]
            assert isinstance(current, _Begun)
            current.take(decoded, view)
            if current.is_done:
                yield _result(begun.pop(0))


def _begin(film: Film, extractor: Extractor, open_media: OpensMedia, stride_frames: int) -> "_Begun | Unseen":
    """Read a rendition's rate and length."""
    name = film.source(extractor.entry.view)
    try:
        with open_media(name) as path:
            fps, frames = rate_and_count(path)
    except BrokenContract as error:
        return Unseen(name=film.name, lost=Lost.of(error))
    if fps > max(RATES) + 1e-6:
        return Unseen(name=film.name, lost=Lost(TOO_FAST, f"{fps:g}, want a rendition of {max(RATES)} at most"))
    if (frames + MISSING_FRAMES) / fps < CLIP_SEC:
        return Unseen(name=film.name, lost=Lost(TOO_SHORT, f"{frames / fps:.2f} s, want {CLIP_SEC:g} s at least"))
    clock = Clock(fps=fps, frames=frames, stride_frames=stride_frames)
    return _Begun(name=film.name, source=name, clock=clock, extractor=extractor)


def _result(each: "_Begun | Unseen") -> Dense | Unseen:
    return each if isinstance(each, Unseen) else each.result()


@dataclass(kw_only=True, eq=False)
class _Begun:
    """A video whose frames come in, stretch by stretch."""

    name: str
    source: str
    clock: Clock
    extractor: Extractor
    lost: Lost | None = None
    _batches_due: int = 0
    _frames: Tensor | None = None
    """Those that a window may still need, on the device."""
    _first: int = 0
    """Number of the first of them."""
    _seen: int = 0
    """Frames that have come in."""
    _parts: list[Tensor] = field(default_factory=list)
    _done: int = 0
    """Windows that were looked at."""

    def __post_init__(self) -> None:
        self._windows = self.clock.windows(self.extractor.entry.frames)
        last = max(0.0, (self.clock.frames - round(CLIP_SEC * self.clock.fps)) / self.clock.fps)
        # The last stretch ends with the video, so it may repeat frames of the one before.
        self._starts = [*np.arange(0.0, last - 1e-6, CLIP_SEC).tolist(), last]
        self._batches = list(chunks(self._starts, _STRETCHES))
        self._batches_due = len(self._batches)

    def batches(self) -> Iterator[list[Cut | None]]:
        """Yield what the pool is asked for."""
        for starts in self._batches:
            yield [Cut(self.source, start) for start in starts]

    @property
    def is_done(self) -> bool:
        """Whether all frames have come in."""
        return self._batches_due == 0

    def take(self, decoded: Decoded, view: View) -> None:
        """Take the next batch, and look at the windows that are complete with it."""
        starts = self._batches[len(self._batches) - self._batches_due]
        self._batches_due -= 1
        if decoded.lost:
            self.lost = self.lost or next(iter(decoded.lost.values()))
        if self.lost:
            return
        for start, pixels in zip(starts, decoded.pixels[view], strict=True):
            numbers = frame_numbers([start], frames=_FRAMES, fps=self.clock.fps, count=self.clock.frames)[0]
            unique, places = np.unique(numbers, return_index=True)
            new = places[unique >= self._seen]
            came = torch.from_numpy(pixels[new]).to(self.extractor.where)
            self._frames = came if self._frames is None else torch.cat([self._frames, came])
            self._seen = int(unique[-1]) + 1
            self._look()

    def _look(self) -> None:
        ready = int(np.searchsorted(self._windows[:, -1], self._seen))
        assert self._frames is not None
        while self._done < ready:
            numbers = self._windows[self._done : min(ready, self._done + _WINDOWS)]
            clips = self._frames[torch.from_numpy(numbers - self._first).to(self._frames.device)]
            self._parts.append(self.extractor.on_device(clips).cpu())
            self._done += len(numbers)
        if self._done < len(self._windows):
            # Where windows lie further apart than they are long, the next one may begin after what has come in.
            needed = min(int(self._windows[self._done, 0]), self._seen)
            self._frames, self._first = self._frames[needed - self._first :].clone(), needed

    def result(self) -> Dense | Unseen:
        """Return the features, or why there are none."""
        if self.lost:
            return Unseen(name=self.name, lost=self.lost)
        values = np.asarray(torch.cat(self._parts).numpy(), np.float32)
        return Dense(name=self.name, clock=self.clock, values=values)
