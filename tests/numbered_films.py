"""Films whose frames carry their number as blocks of black and white, so that whoever reads one knows which it is."""

import itertools
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

ROWS, COLUMNS = 3, 4
"""Blocks of a picture: twelve bits of its number, the highest first."""


def picture(number: int, width: int, height: int) -> np.ndarray:
    bits = [(number >> bit) & 1 for bit in reversed(range(ROWS * COLUMNS))]
    image = np.empty((height, width, 3), np.uint8)
    for index, bit in enumerate(bits):
        row, column = divmod(index, COLUMNS)
        top, bottom = row * height // ROWS, (row + 1) * height // ROWS
        left, right = column * width // COLUMNS, (column + 1) * width // COLUMNS
        image[top:bottom, left:right] = 220 if bit else 30
    return image


def number_on(image: np.ndarray) -> int:
    height, width = image.shape[:2]
    number = 0
    for row, column in itertools.product(range(ROWS), range(COLUMNS)):
        y, x = (2 * row + 1) * height // (2 * ROWS), (2 * column + 1) * width // (2 * COLUMNS)
        number = 2 * number + int(image[y - 4 : y + 4, x - 4 : x + 4].mean() > 128)
    return number


def film(
    path: Path, at_ms: Sequence[int], *, size: tuple[int, int] = (320, 240), codec: str = "libx264",
    pixels: str = "yuv420p", rate: int = 30,
) -> Path:  # fmt: skip
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.time_base = Fraction(1, 1000) if codec == "libx264" else Fraction(1, rate)
        for number, at in enumerate(at_ms):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), format="rgb24")
            frame.time_base = stream.codec_context.time_base
            frame.pts = at if codec == "libx264" else number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def steady(rate: float, seconds: float, late_ms: int = 0) -> list[int]:
    return [late_ms + round(1000 * n / rate) for n in range(int(rate * seconds))]


def uneven(seconds: float) -> list[int]:
    steps = np.random.default_rng(5).choice([20, 33, 50, 120, 400], 400)
    times = np.concatenate([[0], np.cumsum(steps)])
    return [int(at) for at in times if at < 1000 * seconds]


def remux(source: Path, target: Path, before: Sequence[str] = (), after: Sequence[str] = ()) -> Path:
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *before, "-i", str(source)]
    subprocess.run([*program, *(after or ("-c", "copy")), str(target)], check=True)
    return target


FILMS = {
    "steady.mp4": (steady(30, 4), {}),
    "sixty.mp4": (steady(60, 3), {"rate": 60}),
    "film.mkv": (steady(23.976, 4), {}),
    "uneven.mp4": (uneven(6), {}),
    "late.mkv": (steady(25, 4, late_ms=7000), {}),
    "small.mp4": (steady(24, 3), {"size": (160, 120)}),
    "odd.mkv": (steady(25, 3), {"size": (321, 241), "pixels": "yuv444p"}),
    "deep.mp4": (steady(24, 3), {"pixels": "yuv420p10le"}),
    "old.avi": (steady(25, 3), {"codec": "mpeg4", "rate": 25}),
    "slides.mkv": ([0, 1000, 8000], {}),
    "slides.mp4": ([0, 1000, 8000], {}),
    "slides.ts": ([0, 4500, 9000], {}),
}
"""Films by name: where the frames stand, in milliseconds, and how they are written."""
FIELDS = ("-vf", "tinterlace=interleave_top,setfield=tff", "-c:v", "mpeg2video", "-b:v", "4M", "-flags", "+ildct+ilme")
"""What makes an interlaced film of a film with twice the frames."""
