"""Mining at full scale: `python -m bench.mine [--quick]`.

Writes clips and the scores of four members with the platform's own writers: 2,600 videos and 200,000 clips for each of
200 categories, 40 million clips in all (--quick: 4 categories). Then runs `slac mine` as Airflow does, one process for
many categories, on an embedded Postgres, and takes wall clock and peak memory from the operating system: start-up,
reading, checking every byte, choosing and writing included. The last line is one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.model import content_hash, panel_key, round_key
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, HARD_CLIPS, SCORES
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

CATEGORIES, VIDEOS, CLIPS_OF_A_CATEGORY = 200, 2_600, 200_000
MEMBERS = ("frame", "motion", "pretrained", "video")
WINDOW = "2026-01-05"
ROUND = round_key(WINDOW, panel_key(MEMBERS))
MADE: dict[str, Any] = {"stage": "bench", "settings": {}, "made_from": {}}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One `slac mine`."""

    clips: int
    seconds: float
    peak_bytes: int


def grid(category: str) -> tuple[list[str], np.ndarray]:
    """Return (video ids, starts in seconds) of a category's clips: every half second of every video."""
    per_video = np.full(VIDEOS, CLIPS_OF_A_CATEGORY // VIDEOS)
    per_video[: CLIPS_OF_A_CATEGORY % VIDEOS] += 1
    names = [content_hash(category, str(number)) for number in range(VIDEOS)]
    videos = [name for name, count in zip(names, per_video, strict=True) for _ in range(count)]
    return videos, np.concatenate([np.arange(count) * 0.5 for count in per_video])


def write(url: str, category: str) -> None:
    """Write the clips of one category and every member's scores, which follow each other over a video."""
    datasets = Datasets(open_store(url))
    rng = np.random.default_rng(int(content_hash(category), 16))
    videos, starts = grid(category)
    n = len(videos)
    clip_ids = [f"{video}:{int(start * 1000)}" for video, start in zip(videos, starts, strict=True)]
    media = pa.array([f"media/{video}/" for video in videos])
    columns = {
        "clip_id": clip_ids, "video_id": videos, "start_sec": starts, "end_sec": starts + 2.0,
        "split": ["training"] * n, "proxy_128": pc.binary_join_element_wise(media, "128.mp4", ""),
        "proxy_256": pc.binary_join_element_wise(media, "256.mp4", ""),
        "shot": (starts // 8).astype(np.int32), "people": pa.nulls(n, pa.int32()),
    }  # fmt: skip
    datasets.write(CLIPS, [pa.table(columns)], keys={"category": category, "window": WINDOW}, **MADE)
    shared = np.convolve(rng.normal(size=n), np.ones(5) / 2, mode="same")
    for member in MEMBERS:
        odds = shared + rng.normal(size=n) - 1
        scores = {"clip_id": clip_ids, "video_id": videos, "member": [member] * n,
                  "score": (1 / (1 + np.exp(-odds))).astype(np.float32)}  # fmt: skip
        keys = {"category": category, "window": WINDOW, "weights": member}
        datasets.write(SCORES, [pa.table(scores)], keys=keys, **MADE)


def prepare(url: str, categories: list[str]) -> None:
    """Fill the store and seat the committee."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(partial(write, url), categories):
            pass
    rows = [
        {"member": member, "architecture": member, "category": category, "backbone": "b", "head": "h", "output": 0,
         "weights": member, "origin": f"bootstrap:{WINDOW}"}
        for category in categories for member in MEMBERS
    ]  # fmt: skip
    Datasets(open_store(url)).write(COMMITTEES, [COMMITTEES.from_records(rows)], keys={"committee": "c1"}, **MADE)
    ledger = open_ledger(migrated=False)
    ledger.migrate()
    ledger.run_many("register_category", [{"category": name, "name": name, "guideline": None} for name in categories])
    ledger.run("add_committee", committee="c1", origin=f"bootstrap:{WINDOW}", categories=categories)
    ledger.close()


def mine(categories: list[str], log: Path) -> Run:
    """Run `slac mine` for these categories in a process of its own and measure that process."""
    words = [sys.executable, "-m", "slac_tasks.cli", "mine", "--round", ROUND, "--remake"]
    words += [word for category in categories for word in ("--category", category)]
    began = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench.mine: slac mine ended with {process.returncode}:\n{log.read_text()[-2000:]}")
    return Run(clips=len(categories) * CLIPS_OF_A_CATEGORY, seconds=took, peak_bytes=usage.ru_maxrss * 1024)


@contextmanager
def platform(folder: Path) -> Iterator[str]:
    """Start a Postgres and point the environment at it and at a store; yield the store's address."""
    server = EmbeddedPostgres(folder / "postgres")
    try:
        server.start()
        os.environ["SLAC_STORE"] = str(folder / "store")
        os.environ["SLAC_DATABASE_URL"] = server.url("slac")
        os.environ.pop("SLAC_CONFIG", None)
        yield os.environ["SLAC_STORE"]
    finally:
        # As root the cluster is kept outside the folder: only `remove` deletes it.
        server.remove()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mine", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="4 categories, within 50 seconds on two idle cores")
    parser.add_argument("--categories", type=int, default=CATEGORIES, help="a multiple of 4 (default: %(default)s)")
    arguments = parser.parse_args()
    count = 4 if arguments.quick else arguments.categories
    categories = [f"category_{number:03d}" for number in range(count)]
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name, platform(Path(name)) as url:
        began = time.perf_counter()
        prepare(url, categories)
        print(f"{'written':<28} {count * CLIPS_OF_A_CATEGORY:,} clips in {time.perf_counter() - began:.0f} s")
        log = Path(name) / "mine.log"
        one = mine(categories[:1], log)
        quarter = mine(categories[: count // 4], log)
        whole = mine(categories, log)
        made = Datasets(open_store(url))
        chosen = sum(made.need(HARD_CLIPS, **keys).rows for keys in made.partitions(HARD_CLIPS))
    for title, run in (("one category", one), ("a quarter", quarter), ("all", whole)):
        rate, peak = run.clips / run.seconds, run.peak_bytes / 2**30
        print(f"{title:<28} {run.clips:>11,} clips  {run.seconds:7.1f} s  {rate:>9,.0f} clips/s  peak {peak:.2f} GiB")
    print(f"{'chosen':<28} {chosen:,} clips in {count} categories")
    figures = {
        "clips_per_s": round(whole.clips / whole.seconds),
        "peak_gib": round(whole.peak_bytes / 2**30, 3),
        "peak_ratio_4x": round(whole.peak_bytes / quarter.peak_bytes, 3),
        "one_category_s": round(one.seconds, 2),
        "scale": count / CATEGORIES,
    }
    print(json.dumps({"bench": "mine", "figures": figures}))


if __name__ == "__main__":
    main()
