"""Pixels of clips, read from a proxy in one pass.

A proxy runs at one rate from time 0 with a key frame each second (see `slac_tasks.video.originals`), so a time is a
frame's number, and stretches that no clip needs are skipped by seeking.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from slac_tasks.errors import BrokenContract
from slac_tasks.model import CLIP_SEC, MISSING_FRAMES

Pixels = NDArray[np.uint8]
"""Clips as decoded: (n, frames, height, width, 3)."""

_SEEK_SHARE = 1 / 3
"""A seek costs as much as decoding this part of a second; what is nearer is decoded through (measured)."""
_NAL_AT = 4
"""Where the first unit of a packet starts, and in the decoder's set-up the byte with the size of lengths."""
_UNREFERENCED_SLICE = 0x01
"""First byte of a slice of a picture to which no other refers (H.264, 7.3.1: nal_ref_idc 0, nal_unit_type 1)."""
_BT601 = (2, 5, 6)
"""AVColorSpace: unspecified, bt470bg, smpte170m; one matrix. Proxies are smpte170m."""
_LIMITED = (0, 1)
"""AVColorRange: unspecified, limited."""


def frame_numbers(
    start_secs: Sequence[float], *, frames: int, fps: float, count: int, clip_sec: float = CLIP_SEC
) -> NDArray[np.int64]:
    """Return the numbers of the frames shown at the middles of `frames` equal parts of each clip.

    Args:
        start_secs: where clips start, in seconds on the proxy's clock.
        frames: frames taken of one clip.
        fps: frames per second of the proxy.
        count: frames in the proxy; a time beyond the last takes the last, as of a clip whose end is cut off.
        clip_sec: length of a clip in seconds.

    Returns:
        Shape (clips, frames), each value in [0, count).

    Raises:
        BrokenContract: a clip starts before the proxy or ends more than MISSING_FRAMES after it.

    """
    starts = np.asarray(start_secs, dtype=np.float64).reshape(-1)
    if starts.size and (starts.min() < 0 or starts.max() + clip_sec > (count + MISSING_FRAMES) / fps + 1e-6):
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
        path: a rendition of `slac_tasks.video.originals`; another video of one steady rate is read right, but slower.
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
    with _opened(path) as (container, stream, fps, count):
        numbers = frame_numbers(start_secs, frames=frames, fps=fps, count=count, clip_sec=clip_sec)
        wanted, slots = np.unique(numbers.ravel(), return_inverse=True)
        order = np.argsort(slots, kind="stable")
        ends = np.cumsum(np.bincount(slots, minlength=len(wanted)))
        flat = clips.reshape(-1, size, size, 3)
        begin = 0
        for frame, end in zip(_decoded(container, stream, wanted, fps, path), ends, strict=True):
            flat[order[begin:end]] = sized(_square(frame), size)
            begin = int(end)
    return clips


def read_frames(path: Path, at_secs: Sequence[float]) -> list[NDArray[np.uint8]]:
    """Decode single whole frames of a proxy; RGB, each (h, w, 3), in the order of `at_secs`.

    Raises:
        BrokenContract: the file is no proxy or ends early.

    """
    with _opened(path) as (container, stream, fps, count):
        numbers = np.clip((np.asarray(at_secs, float) * fps).astype(np.int64), 0, count - 1)
        wanted, slots = np.unique(numbers, return_inverse=True)
        images = [frame.to_ndarray(format="rgb24") for frame in _decoded(container, stream, wanted, fps, path)]
    return [images[slot] for slot in slots]


def count_frames(path: Path) -> int:
    """Return how many frames a proxy holds.

    Raises:
        BrokenContract: the file is no proxy.

    """
    with _opened(path) as (_, _, _, count):
        return count


def rate_and_count(path: Path) -> tuple[float, int]:
    """Return (frames in a second, frames) of a proxy.

    Raises:
        BrokenContract: the file is no proxy.

    """
    with _opened(path) as (_, _, fps, count):
        return fps, count


def length_sec(path: Path) -> float:
    """Return how long a video is, in seconds.

    Raises:
        BrokenContract: the file is no video.

    """
    with _opened(path) as (_, _, fps, count):
        return count / fps


@contextmanager
def _opened(path: Path) -> Iterator[tuple["av.container.InputContainer", "av.video.stream.VideoStream", float, int]]:
    """Open a proxy and yield (container, stream, frames per second, frames); failures to decode inside become ours."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BrokenContract(f"proxy {path.name}: holds no video stream")
            stream = container.streams.video[0]
            # Threads cost more than they bring on frames this small; videos are read side by side instead.
            stream.codec_context.thread_count = 1
            fps = float(stream.average_rate or 0)
            count = int(stream.frames) or _counted(container, stream)
            if not fps or not count:
                raise BrokenContract(f"proxy {path.name}: rate {fps}, {count} frames; want those of a proxy")
            yield container, stream, fps, count
    except av.FFmpegError as error:
        raise BrokenContract(f"proxy {path.name}: cannot be decoded: {error}") from error


def _counted(container: "av.container.InputContainer", stream: "av.video.stream.VideoStream") -> int:
    """Return the frames of a file whose header does not say how many there are, as in Matroska and WebM."""
    count = sum(1 for packet in container.demux(stream) if packet.size)
    container.seek(0, stream=stream)
    return count


def _decoded(
    container: "av.container.InputContainer",
    stream: "av.video.stream.VideoStream",
    wanted: NDArray[np.int64],
    fps: float,
    path: Path,
) -> Iterator["av.VideoFrame"]:
    """Yield the wanted frames in order; `wanted` is ascending and holds no number twice."""
    group = round(fps)  # frames from one key frame to the next
    keys = wanted // group * group
    # Frames from the last wanted one to the key frame of the next need not be decoded, where a seek is worth it.
    new = np.flatnonzero(keys[1:] - wanted[:-1] > group * _SEEK_SHARE) + 1
    for run in np.split(wanted, new):
        if run[0] >= group or run[0] > wanted[0]:
            container.seek(round(run[0] / fps / stream.time_base), stream=stream)
        found = 0
        for at, frame in _sent(container, stream, set(run.tolist()), fps):
            if at > run[found]:
                raise BrokenContract(f"proxy {path.name}: frame {run[found]} is missing, found frame {at}")
            if at == run[found]:
                yield frame
                found += 1
                if found == len(run):
                    break
        if found < len(run):
            raise BrokenContract(f"proxy {path.name}: ends before frame {run[found]}")


def _sent(
    container: "av.container.InputContainer", stream: "av.video.stream.VideoStream", pending: set[int], fps: float
) -> Iterator[tuple[int, "av.VideoFrame"]]:
    """Yield (number, frame) from here on, until the `pending` numbers have come; frames that nobody needs are not sent.

    A seek must come before the decoder's next use.
    """
    context = stream.codec_context
    droppable = _has_droppable(context)
    # Whole numbers: a Fraction for each of thousands of packets costs as much as a tenth of their decoding.
    rate = Fraction(fps).limit_denominator(100_000)
    up = 2 * stream.time_base.numerator * rate.numerator
    down = stream.time_base.denominator * rate.denominator
    for packet in container.demux(stream):
        if packet.pts is None:
            continue
        number = (packet.pts * up + down) // (2 * down)
        if number in pending:
            pending.remove(number)
        elif droppable and packet.size > _NAL_AT and memoryview(packet)[_NAL_AT] == _UNREFERENCED_SLICE:
            continue
        for frame in context.decode(packet):
            yield (frame.pts * up + down) // (2 * down), frame
        if not pending:
            break
    for frame in context.decode(None):
        yield (frame.pts * up + down) // (2 * down), frame


def _has_droppable(context: "av.codec.context.CodecContext") -> bool:
    """Whether the packets are H.264 with four bytes of length before each unit, as in our own MP4 files."""
    setup = context.extradata or b""
    return bool(context.name == "h264" and len(setup) > _NAL_AT and setup[0] == 1 and setup[_NAL_AT] & 3 == 3)


def middle(width: int, height: int) -> tuple[int, int, int]:
    """Return (top, left, side) of the square in the middle of a picture, in pixels."""
    side = min(width, height)
    return (height - side) // 4 * 2, (width - side) // 4 * 2, side  # even: colour has half the resolution


def _square(frame: "av.VideoFrame") -> NDArray[np.uint8]:
    """Return the middle square of a frame in RGB, shape (side, side, 3)."""
    top, left, side = middle(frame.width, frame.height)
    plain = frame.format.name == "yuv420p" and frame.colorspace in _BT601 and frame.color_range in _LIMITED
    if not plain or side % 2:
        image: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
        return image[top : top + side, left : left + side]
    # The three planes one below the other, which is what OpenCV calls I420.
    half = side // 2
    planes = np.empty(side * side * 3 // 2, np.uint8)
    luma, blue, red = (np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size) for plane in frame.planes)
    planes[: side * side].reshape(side, side)[:] = luma[top : top + side, left : left + side]
    for at, plane in ((side * side, blue), (side * side + half * half, red)):
        cut = plane[top // 2 : top // 2 + half, left // 2 : left // 2 + half]
        planes[at : at + half * half].reshape(half, half)[:] = cut
    rgb: NDArray[np.uint8] = cv2.cvtColor(planes.reshape(side * 3 // 2, side), cv2.COLOR_YUV2RGB_I420)
    return rgb


def sized(square: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return a square image at another size; shape (size, size, 3)."""
    if len(square) == size:
        return square
    # Two neighbours suffice down to half the size; below that, pixels in between would be lost.
    smooth = cv2.INTER_AREA if 2 * size < len(square) else cv2.INTER_LINEAR
    resized: NDArray[np.uint8] = cv2.resize(square, (size, size), interpolation=smooth)
    return resized
