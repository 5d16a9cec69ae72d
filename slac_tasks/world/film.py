"""Encoding: a script becomes a video file; a video file becomes a near-duplicate or a broken one."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np

from slac_tasks.world.figure import Image
from slac_tasks.world.scene import FPS, HEIGHT, WIDTH, Script, Stage, place

cv2.setNumThreads(1)


@lru_cache(maxsize=80)
def _place(world_seed: int, index: int) -> Image:
    return place(world_seed, index)


def frames(script: Script) -> Iterator[Image]:
    """Yield every frame of a script, BGR, shape (HEIGHT, WIDTH, 3)."""
    for number, shot in enumerate(script.shots):
        rng = np.random.default_rng((*script.seed, 3, number))
        stage = Stage(shot, rng, _place(script.seed[0], shot.place))
        count = round(shot.end_sec * FPS) - round(shot.start_sec * FPS)
        for index in range(count):
            yield stage.frame(index, count)


def encode(path: Path, images: Iterator[Image], *, width: int = WIDTH, height: int = HEIGHT, quality: int = 24) -> None:
    """Write frames as H.264 in mp4, on one thread, so that the same frames are the same bytes."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(quality), "preset": "superfast", "g": str(FPS * 2)}
        stream.codec_context.thread_count = 1
        for number, image in enumerate(images):
            planes = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def film(path: Path, script: Script) -> None:
    """Draw and encode a script."""
    encode(path, frames(script))


def copy(path: Path, original: Path, how: str) -> None:
    """Write a near-duplicate of `original`: `reencoded`, `resized` or with a `logo`; or its very bytes, `same`."""
    if how == "same":
        path.write_bytes(original.read_bytes())
        return
    width, height = (200, 150) if how == "resized" else (WIDTH, HEIGHT)
    encode(path, _altered(original, how, width, height), width=width, height=height, quality=30)


def _altered(original: Path, how: str, width: int, height: int) -> Iterator[Image]:
    with av.open(str(original)) as container:
        for frame in container.decode(video=0):
            image = frame.to_ndarray(format="bgr24")
            if how == "resized":
                image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            if how == "logo":
                cv2.circle(image, (WIDTH - 14, 12), 8, (40, 220, 240), -1)
                cv2.putText(image, "TV", (WIDTH - 21, 15), cv2.FONT_HERSHEY_PLAIN, 0.7, (0, 0, 0), 1)
            yield image


def break_file(path: Path, how: str, script: Script) -> None:
    """Write what the web holds instead of a video: `truncated`, `empty`, `text` or `audio`."""
    if how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("<!doctype html><title>429 Too Many Requests</title>\n", encoding="utf-8")
    elif how == "audio":
        _hum(path)
    else:
        film(path, script)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 2 // 3])


def _hum(path: Path) -> None:
    """Two seconds of a tone and no picture."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        wave = np.sin(np.arange(32_000) * 440 * 2 * np.pi / 16_000).astype(np.float32)
        for start in range(0, len(wave), 1024):
            chunk = np.ascontiguousarray(wave[None, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
