"""Pixels of clips, read from a proxy in one pass.

A proxy runs at one rate from time 0 with a key frame each second (see `slac_tasks.media`), so a time is a frame's
number, and stretches that no clip needs are skipped by seeking.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import BrokenContract
from slac_tasks.model import CLIP_SEC

_SEEK_GAP_SEC = 2.0
"""A gap shorter than this is decoded through: cheaper than a seek and the frames from its key frame on."""


def frame_numbers(
    start_secs: Sequence[float], *, frames: int, fps: float, count: int, clip_sec: float = CLIP_SEC
) -> NDArray[np.int64]:
    """Return the numbers of the frames shown at the middles of `frames` equal parts of each clip.

    Args:
        start_secs: where clips start, in seconds on the proxy's clock.
        frames: frames taken of one clip.
        fps: frames per second of the proxy.
        count: frames in the proxy; a time in the last, cut-off frame takes the last whole one.
        clip_sec: length of a clip in seconds.

    Returns:
        Shape (clips, frames), each value in [0, count).

    Raises:
        BrokenContract: a clip starts before the proxy or ends more than one frame after it.

    """
    starts = np.asarray(start_secs, dtype=np.float64).reshape(-1)
    if starts.size and (starts.min() < 0 or starts.max() + clip_sec > (count + 1) / fps + 1e-6):
        found = f"{starts.min():.3f} to {starts.max() + clip_sec:.3f} s"
        raise BrokenContract(f"clips from {found}: want them inside 0 to {count / fps:.3f} s")
    middles = (np.arange(frames) + 0.5) * (clip_sec / frames)
    # The small term keeps 0.5 s at 24 fps in frame 12, whatever the rounding of the product.
    numbers = np.floor((starts[:, None] + middles[None, :]) * fps + 1e-6).astype(np.int64)
    return np.minimum(numbers, count - 1)


def read_clips(
    path: Path, start_secs: Sequence[float], *, frames: int, size: int, clip_sec: float = CLIP_SEC
) -> NDArray[np.uint8]:
    """Decode clips of one proxy in one pass.

    Args:
        path: a rendition that `slac_tasks.media` made.
        start_secs: where clips start, in seconds; any order, overlapping or not.
        frames: frames taken of one clip, at the middles of equal parts of it.
        size: side of the square in pixels; the short side is scaled to it and the middle of the long side is kept.
        clip_sec: length of a clip in seconds.

    Returns:
        RGB, shape (clips, frames, size, size, 3).

    Raises:
        BrokenContract: the file is no proxy, ends early, or a clip lies outside it.

    """
    clips = np.empty((len(start_secs), frames, size, size, 3), dtype=np.uint8)
    if not len(start_secs):
        return clips
    with _opened(path) as (container, stream, fps):
        numbers = frame_numbers(start_secs, frames=frames, fps=fps, count=stream.frames, clip_sec=clip_sec)
        wanted, slots = np.unique(numbers.ravel(), return_inverse=True)
        order = np.argsort(slots, kind="stable")
        ends = np.cumsum(np.bincount(slots, minlength=len(wanted)))
        flat = clips.reshape(-1, size, size, 3)
        begin = 0
        for frame, end in zip(_decoded(container, stream, wanted, fps, path), ends, strict=True):
            flat[order[begin:end]] = _square(frame, size)
            begin = int(end)
    return clips


def read_frames(path: Path, at_secs: Sequence[float]) -> list[NDArray[np.uint8]]:
    """Decode single whole frames of a proxy; RGB, each (h, w, 3), in the order of `at_secs`.

    Raises:
        BrokenContract: the file is no proxy or ends early.

    """
    with _opened(path) as (container, stream, fps):
        numbers = np.clip((np.asarray(at_secs, float) * fps).astype(np.int64), 0, stream.frames - 1)
        wanted, slots = np.unique(numbers, return_inverse=True)
        images = [frame.to_ndarray(format="rgb24") for frame in _decoded(container, stream, wanted, fps, path)]
    return [images[slot] for slot in slots]


@contextmanager
def _opened(path: Path) -> Iterator[tuple["av.container.InputContainer", "av.video.stream.VideoStream", float]]:
    """Open a proxy and yield (container, stream, frames per second); failures to decode inside become ours."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BrokenContract(f"proxy {path.name}: holds no video stream")
            stream = container.streams.video[0]
            fps = float(stream.average_rate or 0)
            if not fps or not stream.frames:
                raise BrokenContract(f"proxy {path.name}: rate {fps}, {stream.frames} frames; want those of a proxy")
            yield container, stream, fps
    except av.FFmpegError as error:
        raise BrokenContract(f"proxy {path.name}: cannot be decoded: {error}") from error


def _decoded(
    container: "av.container.InputContainer",
    stream: "av.video.stream.VideoStream",
    wanted: NDArray[np.int64],
    fps: float,
    path: Path,
) -> Iterator["av.VideoFrame"]:
    """Yield the wanted frames in order; `wanted` is ascending and holds no number twice."""
    position = 0
    at = 0
    while position < len(wanted):
        if wanted[position] > 0 and (position == 0 or wanted[position] - at > _SEEK_GAP_SEC * fps):
            container.seek(round(wanted[position] / fps / stream.time_base), stream=stream)
        found = position
        for frame in container.decode(stream):
            at = round(frame.pts * stream.time_base * fps)
            if at > wanted[position]:
                raise BrokenContract(f"proxy {path.name}: frame {wanted[position]} is missing, found frame {at}")
            if at < wanted[position]:
                continue
            yield frame
            position += 1
            if position == len(wanted) or wanted[position] - at > _SEEK_GAP_SEC * fps:
                break
        if position == found:
            raise BrokenContract(f"proxy {path.name}: ends at frame {at}, want frame {wanted[position]}")


def _square(frame: "av.VideoFrame", size: int) -> NDArray[np.uint8]:
    """Return the middle square of a frame, its short side scaled to `size`; shape (size, size, 3)."""
    scale = size / min(frame.width, frame.height)
    width, height = max(size, round(frame.width * scale)), max(size, round(frame.height * scale))
    # Bicubic in swscale widens its filter when it shrinks, so nothing aliases.
    image: NDArray[np.uint8] = frame.to_ndarray(width=width, height=height, format="rgb24", interpolation="BICUBIC")
    top, left = (height - size) // 2, (width - size) // 2
    return image[top : top + size, left : left + size]
