"""Joins takes into one video: `python joining.py <order as JSON>`. Prints as JSON what became of each piece.

A process of its own, confined by `slac_tasks.world.rehearsal`: a take is a stranger's file, and one that crashes the
decoder must end this process and not the rehearsal. It may import nothing of the platform.

The order: `target`, `short_side` and `rates` of the video, and `pieces`, each with `path`, `least_sec`, `most_sec` and
`still_sec`. The first piece that can be decoded decides the size and the rate. The answer: `rate`, and for each piece
its number of frames, or the reason why it is left out.
"""

import json
import math
import sys
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.uint8]
"""A picture: its three planes one below the other, shape (height * 3 / 2, width)."""
Order = dict[str, Any]
"""What is asked and answered: it crosses a process boundary as JSON."""

# Playlists (hls, concat, dash) name other files and hosts, so they are no containers here.
_OPTIONS = {"protocol_whitelist": "file"}
_PLAYLISTS = {"hls", "concat", "dash", "concatf", "sdp", "rtsp"}


class Joined:
    """The video that is being written; its size and its rate are those of the first piece."""

    def __init__(self, order: Order) -> None:
        self.rate: int | None = None
        """Frames in a second; None: nothing was decoded yet."""
        self.size = (0, 0)
        self._order = order
        self._container: Any = None
        self._stream: Any = None
        self._count = 0

    def decoded(self, piece: Order) -> list[Planes]:
        """Return the pictures of one piece.

        Raises:
            av.FFmpegError, ValueError: it cannot be decoded.

        """
        with av.open(f"file:{piece['path']}", options=_OPTIONS) as container:
            if _PLAYLISTS & set(container.format.name.split(",")):
                raise ValueError("is a playlist")
            streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
            if not streams:
                raise ValueError("holds no video stream")
            stream = streams[0]
            stream.codec_context.thread_count = 1
            shown = float(stream.average_rate or 25)
            rate: int = self.rate or min(self._order["rates"], key=lambda rate: abs(rate - shown))
            size = self.size if self.rate else _size(stream, self._order["short_side"])
            most: int = math.ceil((1e-3 if piece["still_sec"] else piece["most_sec"]) * rate)
            pictures = _pictures(container.decode(stream), rate, size, most)
        if not pictures:
            raise ValueError("holds no picture")
        self.rate, self.size = rate, size
        times: int
        if piece["still_sec"]:
            times, most = max(1, round(piece["still_sec"] * rate)), sys.maxsize
        else:
            times = math.ceil(piece["least_sec"] * rate / len(pictures))
        return (pictures * times)[:most]

    def write(self, pictures: list[Planes]) -> None:
        """Append pictures."""
        if self._stream is None:
            # One thread and no version of the encoder in the file: the same takes are the same bytes.
            self._container = av.open(self._order["target"], "w", format="mp4")
            self._stream = self._container.add_stream("libx264", rate=self.rate)
            self._stream.width, self._stream.height = self.size
            self._stream.pix_fmt = "yuv420p"
            self._stream.options = {"crf": "20", "preset": "superfast", "g": str(2 * (self.rate or 1))}
            self._stream.codec_context.thread_count = 1
        for planes in pictures:
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts = self._count
            self._count += 1
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write the end of the file, where there is one."""
        if self._stream is not None:
            self._container.mux(self._stream.encode(None))
            self._container.close()


def _size(stream: Any, short_side: int) -> tuple[int, int]:
    """Return (width, height): the short side at most `short_side`, both even."""
    aspect = float(stream.sample_aspect_ratio or 1)
    width, height = stream.width * aspect, float(stream.height)
    factor = min(1.0, short_side / min(width, height))
    return max(16, 2 * round(width * factor / 2)), max(16, 2 * round(height * factor / 2))


def _pictures(frames: Iterator[Any], rate: int, size: tuple[int, int], most: int) -> list[Planes]:
    """Return what is shown at each tick of the rate, from the first frame on, at most so many."""
    found: list[Planes] = []
    first = end = 0.0
    held = None
    for frame in frames:
        at = end if frame.time is None else frame.time
        first = at if held is None else first
        _hold(found, held, round((at - first) * rate), size, most)
        held, end = frame, at + (float(frame.duration * frame.time_base) if frame.duration else 1 / rate)
        if len(found) >= most:
            return found
    _hold(found, held, max(1, round((end - first) * rate)), size, most)
    return found


def _hold(found: list[Planes], frame: Any, until: int, size: tuple[int, int], most: int) -> None:
    """Append a frame until there are so many pictures."""
    missing = min(until, most) - len(found)
    if frame is not None and missing > 0:
        found += [_fitted(frame, size)] * missing


def _fitted(frame: Any, size: tuple[int, int]) -> Planes:
    """Return a frame inside a picture of the size: upright, scaled, with black bars where its shape is another."""
    if frame.rotation % 360:
        upright = np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)))
        frame = av.VideoFrame.from_ndarray(upright, format="rgb24")
    width, height = size
    factor = min(width / frame.width, height / frame.height)
    # One pixel more or less is a rounding, and no bar.
    wide = width if width - frame.width * factor < 4 else max(2, 2 * round(frame.width * factor / 2))
    high = height if height - frame.height * factor < 4 else max(2, 2 * round(frame.height * factor / 2))
    scaled = frame.reformat(width=wide, height=high, format="yuv420p").to_ndarray()
    if (wide, high) == size:
        return np.asarray(scaled, np.uint8)
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    picture[:height] = 16
    planes = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    return _pasted(planes.to_ndarray(), np.asarray(scaled, np.uint8), size, (wide, high))


def _pasted(picture: Planes, image: Planes, size: tuple[int, int], inner: tuple[int, int]) -> Planes:
    """Lay an image into the middle of a picture, plane by plane."""
    (width, height), (wide, high) = size, inner
    top, left = (height - high) // 4 * 2, (width - wide) // 4 * 2
    picture[top : top + high, left : left + wide] = image[:high]
    for plane in range(2):
        ours = picture[height:].reshape(2, height // 2, width // 2)[plane]
        theirs = image[high:].reshape(2, high // 2, wide // 2)[plane]
        ours[top // 2 : (top + high) // 2, left // 2 : (left + wide) // 2] = theirs
    return picture


def join(order: Order) -> Order:
    """Write the video of an order; return what became of each piece."""
    joined = Joined(order)
    pieces: list[int | str] = []
    for piece in order["pieces"]:
        try:
            pictures = joined.decoded(piece)
        except Exception as error:  # whatever a hostile file makes av raise is that file's own failure
            pieces.append(f"{type(error).__name__}: {error}")
            continue
        joined.write(pictures)
        pieces.append(len(pictures))
    joined.close()
    return {"rate": joined.rate, "pieces": pieces}


if __name__ == "__main__":
    print(json.dumps(join(json.loads(sys.argv[1]))))
