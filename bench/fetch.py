"""What fetching costs beside ffmpeg itself: `python -m bench.fetch [--quick]`.

A server in a process of its own hands out 720p videos; the stage `fetch` downloads them, checks them, makes both
renditions, shots and perceptual hashes, and writes its dataset. `cpu_ratio` is its processor time (this process and
its children, imports made before) over that of bare ffmpeg on the same files: one decode of the original scaled to 256
into nothing, and one encode of each rendition from raw frames, with the proxy's settings. The last line is one JSON
object.
"""

import functools
import http.server
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated

from bench.harness import Bench, Figures
from bench.harness.costs import Cost, cost
from bench.harness.tables import table
from bench.harness.videos import ffmpeg
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.config import Config
from slac_tasks.job import Job
from slac_tasks.stages import fetch
from slac_tasks.storage.datasets import CANDIDATES, FETCHED
from slac_tasks.storage.datasets.collecting import CandidateRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

KEYS = {"category": "bench", "window": "2026-01-05"}
_CODEC = ("-c:v", "libx264", "-preset", "veryfast", "-tune", "fastdecode", "-g", "25", "-keyint_min", "25",
          "-sc_threshold", "0", "-flags", "+cgop", "-pix_fmt", "yuv420p", "-threads", "1")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is fetched."""

    videos: Annotated[int, "videos"] = 3
    seconds: Annotated[int, "length of a video"] = 60
    height: Annotated[int, "rows of a picture, which is 16:9"] = 720

    @property
    def amount(self) -> float:
        """Seconds times rows and columns."""
        return float(self.videos * self.seconds * self.height**2)


def draw(path: Path, seconds: int, height: int, seed: int) -> None:
    """Write a video with detail, motion and noise, as a camera's."""
    # A zoom into fine detail with grain over it costs a decoder about what a filmed scene does.
    picture = (
        f"mandelbrot=s={height * 16 // 9}x{height}:r=25:start_scale={3 - seed % 3}:end_scale=0.3:end_pts={seconds * 25}"
    )
    ffmpeg("-f", "lavfi", "-i", f"{picture},noise=alls=8:allf=t", "-t", str(seconds), "-c:v", "libx264", "-preset",
           "veryfast", "-crf", "24", "-pix_fmt", "yuv420p", str(path))  # fmt: skip


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the table is what is printed."""


def _serve(folder: Path, port: Connection) -> None:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        port.send(server.server_port)
        server.serve_forever()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Hand out a folder by HTTP from a process of its own; yield the address."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(folder, there))
    server.start()
    there.close()  # a server that dies early then ends the wait for its port
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        server.terminate()
        server.join()


def ours(folder: Path, names: Sequence[str], url: str) -> Cost:
    """Return what the stage costs on all videos."""
    config = Config(
        store_url=str(folder / "store"),
        collect=Collect(sources=("bench",), allow_private_addresses=True),
        fetch=Fetch(workers=1, scratch=str(folder / "scratch")),
    )
    rows = [CandidateRow(candidate_id=name, source="bench", source_id=name, location=f"{url}/{name}") for name in names]
    datasets = Datasets(FolderStore(folder / "store"))
    datasets.write(CANDIDATES, [CANDIDATES.table(rows)], keys=KEYS, stage="bench", settings={}, made_from={})
    job = Job(
        stage="fetch", config=config, environ={}, categories=(KEYS["category"],), given={"window": KEYS["window"]}
    )
    took = cost(lambda: fetch.run(job))
    made = datasets.need(FETCHED, **KEYS)
    if made.rows != len(names):
        raise RuntimeError(f"{made.rows} videos were fetched, dropped {made.dropped}; want {len(names)}")
    return took


def bare(path: Path, folder: Path) -> dict[str, float]:
    """Return the processor seconds of bare ffmpeg: a scaled decode to nothing, and an encode of each rendition."""

    def seconds(*words: str) -> float:
        return cost(lambda: ffmpeg(*words)).processor_sec

    original = ("-i", str(path), "-an")
    took = {"decode and scale": seconds("-threads", "1", *original, "-vf", "scale=-2:256", "-f", "null", "-")}
    for side in (256, 128):
        raw, frame = str(folder / f"{side}.yuv"), f"{2 * round(1280 * side / 720 / 2)}x{side}"
        pixels = ("-f", "rawvideo", "-pix_fmt", "yuv420p")
        ffmpeg(*original, "-vf", f"scale={frame}", *pixels, raw)
        source = (*pixels, "-s", frame, "-r", "25", "-i", raw)
        took[f"encode {side}"] = seconds(*source, *_CODEC, str(folder / "out.mp4"))
    return took


def measure(size: Size, folder: Path) -> Figures:
    """Fetch all videos, then let bare ffmpeg do the same."""
    (folder / "served").mkdir()
    names = [f"{number}.mp4" for number in range(size.videos)]
    for number, name in enumerate(names):
        draw(folder / "served" / name, size.seconds, size.height, number)
    with served(folder / "served") as url:
        took = ours(folder, names, url)
    parts: Counter[str] = Counter()
    for name in names:
        parts.update(bare(folder / "served" / name, folder))
    whole = sum(parts.values())
    print(f"{size.videos} videos of {size.seconds} s, {size.height} rows high")
    rows = [*parts.items(), ("bare ffmpeg in all", whole), ("slac fetch", took.processor_sec)]
    print(table({"work": "", "processor s": ".2f"}, rows))
    return {
        "cpu_ratio": took.processor_sec / whole,
        "videos_per_core_hour": 3600 * size.videos / took.processor_sec,
        "wall_sec": took.wall_sec,
        "scale": size.amount / Size().amount,
    }


BENCH = Bench(
    name="fetch", doc=__doc__, measure=measure,
    full=Size(), quick=Size(videos=2, seconds=12), tiny=Size(videos=1, seconds=2, height=270),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
