"""The one owner of originals: what a file holds, and its proxies, from one pass of ffmpeg.

A proxy starts at 0 with the first picture, runs at one rate of 24, 25 or 30 frames per second, has square pixels,
rotation applied, and a key frame each second. Originals come from strangers: only local bytes in known containers are
opened, and time, pixels and output are limited.
"""

import json
import math
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from slac_tasks.collect.settings import Collect
from slac_tasks.model import MISSING_FRAMES
from slac_tasks.video import confined, probing
from slac_tasks.video.frames import count_frames
from slac_tasks.video.probing import FORMATS, Facts

RATES = (24, 25, 30)
SMALL = 48
"""Side of the small square frames, in pixels, from which shots and perceptual hashes are made."""
CODECS = (
    "av1 dnxhd dvvideo ffv1 flv1 h263 h264 hevc huffyuv mjpeg mpeg1video mpeg2video mpeg4 msmpeg4v1 msmpeg4v2 "
    "msmpeg4v3 prores rv10 rv20 rv30 rv40 svq1 svq3 theora vc1 vp6 vp6f vp8 vp9 wmv1 wmv2 wmv3"
).split()
"""What web videos and cameras are coded in. The rest of ffmpeg's decoders (games, screens, fonts) is little tested."""

_MAGIC = {0: (b"\x1aE\xdf\xa3", b"RIFF", b"\x00\x00\x01\xba", b"OggS", b"FLV"), 4: (b"ftyp", b"moov", b"mdat")}
_COLOUR = {"flags": "bicubic", "out_color_matrix": "bt601", "out_range": "tv"}
"""Every proxy has one matrix and one range, and says so: all readers see the same colours."""
_MIN_SIDE = 32
"""A smaller picture shows nobody."""
_MAX_ASPECT = 10.0
"""A longer strip is no picture of an action, and its renditions would be larger than the original."""
_MAX_GAP_SEC = 10.0
"""Two frames further apart than this are a clock that jumps."""
_MAX_BACKWARD_SEC = 1.0
"""Packets are stored in the order of decoding; a clock that goes back by more than this started again."""
_MAX_ERROR_RATE = 0.01
"""A file of which more than this share of frames cannot be decoded is corrupt."""
_OUTPUT_BYTES_PER_SEC = 4_000_000
_CPU_SECONDS_PER_SECOND = 4
"""Limit of the pass: this many processor seconds, and a minute, for each second of video; on the clock three times it,
since the machine may be busy."""
_MEMORY_BYTES = 4 << 30
"""Of one pass: frames of `max_pixels` at 10 bits, sixteen of reference, take under 2 GiB (measured)."""


def rendition_name(video_id: str, digest: str, side: int) -> str:
    """Return the object name of a rendition; `digest` is the SHA-256, in hex, of the large one."""
    return f"media/{video_id}/{digest[:16]}-{side}.mp4"


def side(rendition: str) -> int:
    """Return the short side that a rendition's object name gives; any other name stands for the large one."""
    return 128 if rendition.endswith("-128.mp4") else 256


def beside(rendition: str) -> str:
    """Return the object name of the original of a rendition, where `collect.keep_originals` keeps it."""
    return f"{rendition.rpartition('/')[0]}/original"


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
    pixel_aspect: float
    """Width of a pixel over its height, as shown."""
    turned: bool
    """The file says that it is to be rotated."""
    interlaced: bool
    fps: float
    """Average frames per second."""
    duration_sec: float
    """From the first packet that is shown to the end of the last."""


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


def _missing_sec(rate: int) -> float:
    """Return by how much a video of this rate may be shorter than the shortest: the last half frame is rounding."""
    return (MISSING_FRAMES + 0.5) / rate


def probe(path: Path, limits: Collect) -> Probe:
    """Read a file's streams, its first picture and the times of its packets, in a process of its own.

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
    argv = [sys.executable, "-I", probing.__file__, str(path.absolute()), str(limits.max_pixels)]
    bounds = confined.Bounds(
        wall_sec=300, cpu_sec=60, memory_bytes=_MEMORY_BYTES, file_bytes=1 << 20, output_bytes=1 << 16
    )
    ended = confined.run(argv, bounds, reads=[path, Path(probing.__file__)])
    _within(ended, bounds)
    if ended.code < 0:
        raise Rejected("corrupt", f"signal {-ended.code} while its packets were read")
    if ended.code:
        raise RuntimeError(f"slac_tasks.video.probing: exit {ended.code}: {ended.said[-2000:]}")
    found = json.loads(ended.output)
    if found.get("unreadable", "").startswith("MemoryError"):
        raise Rejected("took too much memory", f"more than {bounds.memory_bytes} bytes")
    if "unreadable" in found:
        words = _last_words(found["unreadable"], path)
        if known:
            raise Rejected("corrupt", words)
        raise Rejected("not a video", f"want one of {probing.FORMATS.replace(',', ', ')}; {words}")
    return judge(found["facts"], limits)


def judge(facts: Facts, limits: Collect) -> Probe:
    """Return what the facts of `slac_tasks.video.probing.read_facts` amount to.

    Raises:
        Rejected: they are not those of a usable video.

    """
    if not facts:
        raise Rejected("no video stream")
    if facts["codec"] not in CODECS:
        raise Rejected("unsupported codec", facts["codec"])
    width, height = facts["coded"]
    if width * height > limits.max_pixels:
        raise Rejected("frame too large", f"{width} x {height}, want {limits.max_pixels} pixels at most")
    if not facts["packets"]:
        if "picture" in facts:
            raise Rejected("no clock", "its pictures have no times, want them in a container such as mp4")
        raise Rejected("no video stream", "holds no picture")
    count, first, last = facts["packets"], facts["first_sec"], facts["last_sec"]
    if facts["gap_sec"] > _MAX_GAP_SEC:
        raise Rejected("discontinuous clock", f"{facts['gap_sec']:.1f} s between two frames")
    if facts["backward_sec"] > _MAX_BACKWARD_SEC:
        raise Rejected("discontinuous clock", f"runs back {facts['backward_sec']:.1f} s")
    # What the packets say, not the header: an average over the frames that are shown.
    rate = (count - 1) / (last - first) if last > first else facts["declared_rate"] or 25.0
    span = max(facts["end_sec"], last + 1 / rate) - first
    if facts["declared_sec"] - span > max(1.0, 0.1 * facts["declared_sec"]):
        raise Rejected("corrupt", f"ends after {span:.1f} s of {facts['declared_sec']:.1f} s")
    if span > limits.max_duration_sec:
        raise Rejected("too long", f"{span:.1f} s, want at most {limits.max_duration_sec} s")
    if span < limits.min_duration_sec - _missing_sec(proxy_rate(rate)):
        raise Rejected("too short", f"{span:.2f} s, want at least {limits.min_duration_sec} s")
    if "picture" not in facts:
        raise Rejected("corrupt", "no picture can be decoded")
    width, height = facts["picture"]
    aspect = facts["sar"]
    if abs(facts["rotation"]) % 180 == 90:
        width, height, aspect = height, width, 1 / aspect
    if min(width, height) < _MIN_SIDE:
        raise Rejected("frame too small", f"{width} x {height}, want {_MIN_SIDE} pixels at least")
    if not 1 / _MAX_ASPECT <= width * aspect / height <= _MAX_ASPECT:
        raise Rejected("strange shape", f"{width} x {height}, pixels {aspect:.3g} wide")
    return Probe(
        codec=facts["codec"], width=width, height=height, pixel_aspect=aspect, turned=facts["rotation"] != 0,
        interlaced=facts["interlaced"], fps=rate, duration_sec=span,
    )  # fmt: skip


def rendition_size(found: Probe, side: int) -> tuple[int, int]:
    """Return (width, height) of a rendition: square pixels, the short side at most `side`, both even."""
    width, height = found.width * found.pixel_aspect, float(found.height)
    factor = min(1.0, side / min(width, height))
    return max(2, 2 * math.floor(width * factor / 2)), max(2, 2 * math.floor(height * factor / 2))


def _is_one(found: Probe) -> bool:
    """Return whether both renditions are the same: the original is no larger than the small one."""
    return rendition_size(found, 256) == rendition_size(found, 128)


def command(path: Path, folder: Path, found: Probe, limits: Collect) -> list[str]:
    """Return ffmpeg's argv: one decode, two renditions as files, small frames on its standard output.

    Where both renditions are the same, of an original that is small itself, there is only the large one.
    """
    rate = proxy_rate(found.fps)
    # A frame size that changes half-way builds ffmpeg's filters anew, and the clock would start again. Filters that
    # copy pixels and never change the size are the ones that cannot stand a changed one, so those are built anew.
    steady = not (found.turned or found.interlaced)
    source = ffmpeg.input(
        "original", protocol_whitelist="file", format_whitelist=FORMATS, threads=1, an=None, sn=None,
        dn=None, max_pixels=limits.max_pixels, t=min(found.duration_sec, limits.max_duration_sec) + 5,
        reinit_filter=0 if steady else 1,
    )  # fmt: skip
    # `V` leaves cover pictures out, as the probe did.
    shown = source["V:0"].filter("setpts", "PTS-STARTPTS")
    if found.interlaced:
        shown = shown.filter("yadif", mode="send_frame", deint="interlaced")
    large = shown.filter("fps", rate).filter("scale", *rendition_size(found, 256), **_COLOUR).filter("setsar", 1)
    large = large.filter("format", "yuv420p").filter_multi_output("split")
    middle = large[1].filter("scale", *rendition_size(found, 128), **_COLOUR).filter("setsar", 1)
    middle = middle.filter_multi_output("split")
    small = middle[1].filter("scale", SMALL, SMALL, flags="area")
    encoded: dict[str, Any] = {
        "c:v": "libx264", "preset": "veryfast", "tune": "fastdecode", "g": rate, "keyint_min": rate, "sc_threshold": 0,
        "flags": "+cgop+bitexact", "fflags": "+bitexact", "pix_fmt": "yuv420p", "threads": 1, "movflags": "+faststart",
        "map_metadata": -1, "map_chapters": -1,
    }  # fmt: skip
    files = [large[0].output("256.mp4", **encoded)]
    if not _is_one(found):
        files.append(middle[0].output("128.mp4", **encoded))
    outputs = ffmpeg.merge_outputs(*files, small.output("pipe:1", format="rawvideo", pix_fmt="rgb24")).global_args(
        "-nostdin", "-v", "error", "-max_error_rate", str(_MAX_ERROR_RATE),
        "-filter_complex_threads", "1",
    )  # fmt: skip
    argv: list[str] = outputs.compile(cmd=imageio_ffmpeg.get_ffmpeg_exe(), overwrite_output=True)
    # Paths may hold bytes that are not UTF-8, which the library cannot hash.
    places = {name: str(folder.absolute() / name) for name in ("256.mp4", "128.mp4")}
    places["original"] = f"file:{path.absolute()}"
    return [places.get(word, word) for word in argv]


def make_proxy(path: Path, folder: Path, found: Probe, limits: Collect) -> Proxy:
    """Decode an original once, into `folder`.

    Raises:
        Rejected: the decode did not go to the end, ran into a bound, or its length is outside the limits.

    """
    rate = proxy_rate(found.fps)
    most_sec = math.ceil(min(found.duration_sec, limits.max_duration_sec)) + 6
    cpu_sec = 60 + _CPU_SECONDS_PER_SECOND * most_sec
    bounds = confined.Bounds(
        wall_sec=3 * cpu_sec, cpu_sec=cpu_sec, memory_bytes=_MEMORY_BYTES,
        file_bytes=most_sec * _OUTPUT_BYTES_PER_SEC, output_bytes=most_sec * rate * SMALL * SMALL * 3,
    )  # fmt: skip
    ended = confined.run(command(path, folder, found, limits), bounds, reads=[path], writes=folder)
    said = ended.said
    last = _last_words(said, path)
    _within(ended, bounds)
    if "No space left on device" in said:
        raise OSError(28, "No space left on device", str(folder))
    small = np.frombuffer(ended.output, np.uint8, len(ended.output) // (SMALL * SMALL * 3) * SMALL * SMALL * 3)
    small = small.reshape(-1, SMALL, SMALL, 3)
    duration = len(small) / rate
    if ended.code or not len(small):
        raise Rejected("corrupt", last or f"ffmpeg ended with {ended.code}")
    if any(words in said for words in ("File ended prematurely", "partial file", "truncat")):
        raise Rejected("corrupt", last)
    # How long the last picture is shown may be said nowhere, and in a slide show it is seconds.
    if found.duration_sec - duration > max(1.0, 0.1 * found.duration_sec, 1 / found.fps + 1 / rate):
        raise Rejected("corrupt", f"decoded {duration:.1f} s of {found.duration_sec:.1f} s")
    if duration > limits.max_duration_sec + 0.5 / rate:
        raise Rejected("too long", f"{duration:.1f} s, want at most {limits.max_duration_sec} s")
    if duration < limits.min_duration_sec - _missing_sec(rate):
        raise Rejected("too short", f"{duration:.2f} s, want at least {limits.min_duration_sec} s")
    proxy = Proxy(
        path_256=folder / "256.mp4", path_128=folder / "128.mp4", fps=rate, duration_sec=duration, small=small
    )
    if _is_one(found):
        shutil.copyfile(proxy.path_256, proxy.path_128)
    counts = [count_frames(rendition) for rendition in (proxy.path_256, proxy.path_128)]
    if counts != [len(small)] * 2:
        raise Rejected("corrupt", f"renditions hold {counts} frames, want {len(small)} each")
    return proxy


def _last_words(said: str, path: Path) -> str:
    """Return the last line that a decoder said, the same on every machine and in every run."""
    last = said.splitlines()[-1] if said else ""
    return re.sub(r" @ 0x[0-9a-f]+", "", last).replace(f"file:{path.absolute()}", "the file")[:200]


def _within(ended: confined.Ended, bounds: confined.Bounds) -> None:
    """Raise Rejected where a run hit one of its bounds."""
    if ended.over is confined.Bound.WALL:  # with processor time left: the machine was slow, not the file
        raise Rejected("took too long", f"more than {bounds.wall_sec:.0f} s", retryable=True)
    if ended.over is confined.Bound.CPU:
        raise Rejected("took too long", f"more than {bounds.cpu_sec} s of processor time")
    if ended.over is not None:
        raise Rejected("output too large", f"bound on the {ended.over}")
    if "Cannot allocate memory" in ended.said or "MemoryError" in ended.said:
        raise Rejected("took too much memory", f"more than {bounds.memory_bytes} bytes")
