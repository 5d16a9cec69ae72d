"""The one owner of originals: what a file holds, and its proxies, from one pass of ffmpeg.

A proxy starts at 0 with the first picture, runs at one rate of 24, 25 or 30 frames per second, has square pixels,
rotation applied, and a key frame each second. Originals come from strangers: only local bytes in known containers are
opened, and time, pixels and output are limited.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import ffmpeg
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from slac_tasks.config import Collect

RATES = (24, 25, 30)
SMALL = 48
"""Side of the small square frames, in pixels, from which shots and perceptual hashes are made."""

# Playlists (hls, concat, dash) name other files and hosts, so they are no containers here.
_FORMATS = "mov,matroska,avi,mpeg,mpegts,mpegvideo,flv,live_flv,ogg,asf,mxf,h264,hevc,m4v,ivf,rm,dv"
_MAGIC = {0: (b"\x1aE\xdf\xa3", b"RIFF", b"\x00\x00\x01\xba", b"OggS", b"FLV"), 4: (b"ftyp", b"moov", b"mdat")}
_MAX_GAP_SEC = 10.0
"""Two frames further apart than this are a clock that jumps."""
_MAX_ERROR_RATE = 0.01
"""A file of which more than this share of frames cannot be decoded is corrupt."""
_OUTPUT_BYTES_PER_SEC = 4_000_000
_SECONDS_PER_SECOND = 4.0
"""Time limit of the pass: this many seconds, and a minute, for each second of video."""


class Rejected(Exception):
    """A file that does not become a proxy; `reason` is a short stable string."""

    def __init__(self, reason: str, detail: str = "", *, retryable: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail, self.retryable = reason, detail, retryable


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a file says of its video, and where its packets stand."""

    codec: str
    width: int
    """As shown, rotation applied."""
    height: int
    fps: float
    """Average frames per second."""
    duration_sec: float
    """From the first packet to the end of the last."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """The two renditions and the small frames of one original."""

    path_256: Path
    path_128: Path
    fps: int
    duration_sec: float
    small: NDArray[np.uint8]
    """Every frame, RGB, (frames, 48, 48, 3)."""


def proxy_rate(fps: float) -> int:
    """Return the nearest of 24, 25 and 30 to an average rate; above 33 it is halved first."""
    while fps > 33:
        fps /= 2
    return min(RATES, key=lambda rate: (abs(rate - fps), rate))


def probe(path: Path, limits: Collect) -> Probe:
    """Look at a file's streams, its first picture and the times of its packets.

    Raises:
        Rejected: it is not a usable video; the reason says why.

    """
    size = path.stat().st_size
    if size == 0:
        raise Rejected("empty file")
    if size > limits.max_size_bytes:
        raise Rejected("too large", f"{size} bytes, want at most {limits.max_size_bytes}")
    with path.open("rb") as file:
        head = file.read(12)
    known = any(head[at:].startswith(magic) for at, magics in _MAGIC.items() for magic in magics)
    if head[:4] == b"RIFF" and int.from_bytes(head[4:8], "little") + 8 > size + 1:
        raise Rejected("corrupt", f"ends after {size} bytes of {int.from_bytes(head[4:8], 'little') + 8}")
    options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
    try:
        with av.open(f"file:{path.absolute()}", options=options) as container:
            return _probe(container, limits)
    except (av.FFmpegError, ValueError) as error:
        raise Rejected("corrupt" if known else "not a video", str(error)[:200]) from error


def _probe(container: Any, limits: Collect) -> Probe:
    streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
    if not streams:
        raise Rejected("no video stream")
    stream = streams[0]
    if stream.width * stream.height > limits.max_pixels:
        raise Rejected("frame too large", f"{stream.width} x {stream.height}, want {limits.max_pixels} pixels at most")
    declared = float(stream.duration * stream.time_base) if stream.duration else 0.0
    times, ends = [], []
    for packet in container.demux(stream):
        at = packet.pts if packet.pts is not None else packet.dts
        if at is not None and packet.size:
            times.append(float(at * packet.time_base))
            ends.append(times[-1] + float((packet.duration or 0) * packet.time_base))
    if not times:
        raise Rejected("no video stream", "holds no picture")
    rate = float(stream.average_rate or 0) or len(times) / max(max(times) - min(times), 0.04)
    gaps = np.diff(np.sort(times))
    if gaps.size and gaps.max() > _MAX_GAP_SEC:
        raise Rejected("discontinuous clock", f"{gaps.max():.1f} s between two frames")
    if (backward := -float(np.min(np.diff(times), initial=0.0))) > _MAX_GAP_SEC:
        raise Rejected("discontinuous clock", f"runs back {backward:.1f} s")
    span = max(max(ends), max(times) + 1 / rate) - min(times)
    if declared - span > max(1.0, 0.1 * declared):
        raise Rejected("corrupt", f"ends after {span:.1f} s of {declared:.1f} s")
    if span > limits.max_duration_sec:
        raise Rejected("too long", f"{span:.1f} s, want at most {limits.max_duration_sec} s")
    # Packets before an edit list's start are decoded and not shown, so only the pass itself knows the shown length;
    # but a span this short cannot hold a clip.
    if span < limits.min_duration_sec - 0.5 / rate:
        raise Rejected("too short", f"{span:.2f} s, want at least {limits.min_duration_sec} s")
    container.seek(0)
    first = next(container.decode(stream), None)
    if first is None:
        raise Rejected("corrupt", "no picture can be decoded")
    width, height = first.width, first.height
    if abs(first.rotation) % 180 == 90:
        width, height = height, width
    return Probe(
        codec=stream.codec_context.codec.canonical_name, width=width, height=height, fps=rate, duration_sec=span
    )


def _scaled(stream: Any, side: int, flags: str) -> Any:
    """Shrink so that the short side, in square pixels, is at most `side`; both sides even."""
    factor = f"min(1,{side}/min(iw*sar,ih))"
    sized = stream.filter(
        "scale", w=f"max(2,2*trunc(iw*sar*{factor}/2))", h=f"max(2,2*trunc(ih*{factor}/2))", flags=flags
    )
    return sized.filter("setsar", "1")


def command(path: Path, folder: Path, rate: int, limits: Collect) -> list[str]:
    """Return ffmpeg's argv: one decode, two renditions as files, small frames on its standard output."""
    source = ffmpeg.input(
        f"file:{path.absolute()}", protocol_whitelist="file", format_whitelist=_FORMATS, threads=1,
        max_pixels=limits.max_pixels, t=limits.max_duration_sec + 5,
    )  # fmt: skip
    large = _scaled(source["v:0"].filter("setpts", "PTS-STARTPTS").filter("fps", rate), 256, "bicubic")
    large = large.filter("format", "yuv420p").filter_multi_output("split")
    middle = _scaled(large[1], 128, "bicubic").filter_multi_output("split")
    small = middle[1].filter("scale", SMALL, SMALL, flags="area")
    encoded: dict[str, Any] = {
        "c:v": "libx264", "preset": "veryfast", "tune": "fastdecode", "g": rate, "keyint_min": rate, "sc_threshold": 0,
        "flags": "+cgop+bitexact", "fflags": "+bitexact", "pix_fmt": "yuv420p", "threads": 1, "movflags": "+faststart",
        "map_metadata": -1, "map_chapters": -1, "fs": round(limits.max_duration_sec * _OUTPUT_BYTES_PER_SEC),
    }  # fmt: skip
    outputs = ffmpeg.merge_outputs(
        large[0].output(str(folder / "256.mp4"), **encoded),
        middle[0].output(str(folder / "128.mp4"), **encoded),
        small.output("pipe:1", format="rawvideo", pix_fmt="rgb24"),
    ).global_args(
        "-nostdin", "-v", "error", "-max_error_rate", str(_MAX_ERROR_RATE),
        "-filter_complex_threads", "1",
    )  # fmt: skip
    argv: list[str] = outputs.compile(cmd=imageio_ffmpeg.get_ffmpeg_exe(), overwrite_output=True)
    return argv


def make_proxy(path: Path, folder: Path, found: Probe, limits: Collect) -> Proxy:
    """Decode an original once, into `folder`.

    Raises:
        Rejected: the decode did not go to the end, took too long, or its length is outside the limits.

    """
    rate = proxy_rate(found.fps)
    with tempfile.TemporaryFile() as log:
        code, data = _run(command(path, folder, rate, limits), log, 60 + _SECONDS_PER_SECOND * found.duration_sec)
        log.seek(0)
        said = log.read(20_000).decode(errors="replace").strip()
    if code is None:
        raise Rejected("took too long", f"more than {60 + _SECONDS_PER_SECOND * found.duration_sec:.0f} s")
    small = np.frombuffer(data, np.uint8, len(data) // (SMALL * SMALL * 3) * SMALL * SMALL * 3)
    small = small.reshape(-1, SMALL, SMALL, 3)
    duration = len(small) / rate
    last = said.splitlines()[-1][:200] if said else ""
    if "No space left on device" in said:
        raise OSError(28, "No space left on device", str(folder))
    if code or not len(small):
        raise Rejected("corrupt", last)
    if any(words in said for words in ("File ended prematurely", "partial file", "truncat")):
        raise Rejected("corrupt", last)
    if found.duration_sec - duration > max(1.0, 0.1 * found.duration_sec):
        raise Rejected("corrupt", f"decoded {duration:.1f} s of {found.duration_sec:.1f} s")
    if duration > limits.max_duration_sec + 0.5 / rate:
        raise Rejected("too long", f"{duration:.1f} s, want at most {limits.max_duration_sec} s")
    if duration < limits.min_duration_sec - 0.5 / rate:
        raise Rejected("too short", f"{duration:.2f} s, want at least {limits.min_duration_sec} s")
    return Proxy(path_256=folder / "256.mp4", path_128=folder / "128.mp4", fps=rate, duration_sec=duration, small=small)


def _run(argv: list[str], log: Any, limit_sec: float) -> tuple[int | None, bytes]:
    """Run ffmpeg in a process group of its own; return (exit status, its output), status None when time ran out."""
    late = threading.Event()
    # It dies with us: its standard output is our pipe.
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
    )

    def kill() -> None:
        late.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(limit_sec, kill)
    timer.start()
    try:
        assert process.stdout is not None
        data = process.stdout.read()
        code = process.wait()
    except BaseException:
        kill()
        process.wait()
        raise
    finally:
        timer.cancel()
        if process.stdout is not None:
            process.stdout.close()
    return (None if late.is_set() else code), data
