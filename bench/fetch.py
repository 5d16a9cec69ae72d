"""What fetching costs beside ffmpeg itself: `python -m bench.fetch [--quick]`.

A server in a process of its own hands out 720p videos; the stage `fetch` downloads them, checks them, makes both
renditions, shots and perceptual hashes, and writes its dataset. `cpu_ratio` is its processor time (this process and
its children, imports made before) over that of bare ffmpeg on the same files: one decode of the original scaled to 256
into nothing, and one encode of each rendition from raw frames, with the proxy's settings. The last line is one JSON
object.
"""

import argparse
import functools
import http.server
import json
import multiprocessing
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import imageio_ffmpeg

from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.config import Config
from slac_tasks.job import Job
from slac_tasks.stages import fetch
from slac_tasks.storage.datasets import CANDIDATES, FETCHED
from slac_tasks.storage.objects import FolderStore
from slac_tasks.storage.tables import Datasets

KEYS = {"category": "bench", "window": "2026-01-05"}
VIDEOS, SECONDS = 3, 60
QUICK_VIDEOS, QUICK_SECONDS = 2, 12
_FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
_CODEC = ("-c:v", "libx264", "-preset", "veryfast", "-tune", "fastdecode", "-g", "25", "-keyint_min", "25",
          "-sc_threshold", "0", "-flags", "+cgop", "-pix_fmt", "yuv420p", "-threads", "1")  # fmt: skip


def ffmpeg(*words: str) -> None:
    subprocess.run([_FFMPEG, "-nostdin", "-v", "error", "-y", *words], check=True)


def draw(path: Path, seconds: int, seed: int) -> None:
    """Write a 720p video with detail, motion and noise, as a camera's."""
    # A zoom into fine detail with grain over it costs a decoder about what a filmed scene does.
    picture = f"mandelbrot=s=1280x720:r=25:start_scale={3 - seed % 3}:end_scale=0.3:end_pts={seconds * 25}"
    ffmpeg("-f", "lavfi", "-i", f"{picture},noise=alls=8:allf=t", "-t", str(seconds), "-c:v", "libx264", "-preset",
           "veryfast", "-crf", "24", "-pix_fmt", "yuv420p", str(path))  # fmt: skip


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor time of this process and of the children that ended meanwhile."""

    def now() -> float:
        usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    began = now()
    work()
    return now() - began


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the table is what is printed."""


def _serve(folder: Path, port: Connection) -> None:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        port.send(server.server_port)
        server.serve_forever()


def ours(folder: Path, names: list[str], url: str) -> float:
    """Return the processor seconds of the stage on all videos."""
    config = Config(
        store_url=str(folder / "store"),
        collect=Collect(sources=("bench",), allow_private_addresses=True),
        fetch=Fetch(workers=1, scratch=str(folder / "scratch")),
    )
    rows = [{"candidate_id": name, "source": "bench", "source_id": name, "location": f"{url}/{name}"} for name in names]
    datasets = Datasets(FolderStore(folder / "store"))
    datasets.write(CANDIDATES, [CANDIDATES.from_records(rows)], keys=KEYS, stage="bench", settings={}, made_from={})
    job = Job(
        stage="fetch", config=config, environ={}, categories=(KEYS["category"],), given={"window": KEYS["window"]}
    )
    took = processor_seconds(lambda: fetch.run(job))
    made = datasets.need(FETCHED, **KEYS)
    if made.rows != len(names):
        raise SystemExit(f"bench.fetch: {made.rows} of {len(names)} videos were fetched, dropped {made.dropped}")
    return took


def bare(path: Path, folder: Path) -> dict[str, float]:
    """Return the processor seconds of bare ffmpeg: a scaled decode to nothing, and an encode of each rendition."""
    took = {"decode and scale": processor_seconds(lambda: ffmpeg(
        "-threads", "1", "-i", str(path), "-an", "-vf", "scale=-2:256", "-f", "null", "-"))}  # fmt: skip
    for side in (256, 128):
        raw = folder / f"{side}.yuv"
        width = 2 * round(1280 * side / 720 / 2)
        ffmpeg(
            "-i", str(path), "-an", "-vf", f"scale={width}:{side}", "-f", "rawvideo", "-pix_fmt", "yuv420p", str(raw)
        )
        took[f"encode {side}"] = processor_seconds(
            lambda raw=raw, width=width, side=side: ffmpeg(  # type: ignore[misc]
                "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{side}", "-r", "25", "-i", str(raw),
                *_CODEC, str(folder / "out.mp4"))
        )  # fmt: skip
        raw.unlink()
    return took


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fetch", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_VIDEOS} videos of {QUICK_SECONDS} s")
    arguments = parser.parse_args()
    count, seconds = (QUICK_VIDEOS, QUICK_SECONDS) if arguments.quick else (VIDEOS, SECONDS)
    names = [f"{number}.mp4" for number in range(count)]
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name:
        folder = Path(name)
        (folder / "served").mkdir()
        for number, file in enumerate(names):
            draw(folder / "served" / file, seconds, number)
        here, there = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(target=_serve, args=(folder / "served", there))
        server.start()
        try:
            began = time.monotonic()
            ours_sec = ours(folder, names, f"http://127.0.0.1:{here.recv()}")
            wall = time.monotonic() - began
        finally:
            server.terminate()
            server.join()
        parts: dict[str, float] = {}
        for file in names:
            for what, took in bare(folder / "served" / file, folder).items():
                parts[what] = parts.get(what, 0.0) + took
    whole = sum(parts.values())
    print(f"{count} videos of {seconds} s at 720p, processor seconds")
    for what, took in [*parts.items(), ("bare ffmpeg in all", whole), ("slac fetch", ours_sec)]:
        print(f"{what:<22}{took:>9.2f}")
    figures = {
        "cpu_ratio": ours_sec / whole,
        "videos_per_core_hour": 3600 * count / ours_sec,
        "wall_sec": wall,
        "scale": count * seconds / (VIDEOS * SECONDS),
    }
    print(json.dumps({"bench": "fetch", "figures": figures}))


if __name__ == "__main__":
    main()
