"""Mining at full scale: `python -m bench.mine [--quick]`.

Writes clips, and the scores and kept features of four members, with the platform's own writers: 2,600 videos and
200,000 clips for each of 200 categories, 40 million clips in all (--quick: 2 categories). Then runs `slac mine` as
Airflow does, one process for many categories, with the default shares of the strategies, on an embedded Postgres, and
takes wall clock and peak memory from the operating system: start-up, reading, checking every byte, choosing and writing
included. The disk holds 50 categories at once (some 8 GB): each batch is written, mined and deleted, and the seconds of
the four processes that mine are added up. The last line is one JSON object.
"""

import multiprocessing
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bench.harness import Bench, Figures
from bench.harness.costs import ProcessCost, now, slac
from bench.harness.places import platform
from bench.harness.rows import filled
from bench.harness.tables import table
from slac_tasks.children import processors
from slac_tasks.model import content_hash, panel_key, round_key
from slac_tasks.networks.features import LENGTH, projection
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, FEATURES, HARD_CLIPS, SCORES
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

MEMBERS = ("frame", "motion", "pretrained", "video")
WINDOW = "2026-01-05"
ROUND = round_key(WINDOW, panel_key(MEMBERS))
MADE: dict[str, Any] = {"stage": "bench", "settings": {}, "made_from": {}}


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is mined."""

    categories: Annotated[int, "categories, a multiple of `batch`"] = 200
    videos: Annotated[int, "videos of a category"] = 2_600
    clips: Annotated[int, "clips of a category"] = 200_000
    batch: Annotated[int, "categories that are on disk at once, and in one process"] = 50

    @property
    def all_clips(self) -> int:
        """Clips of all categories."""
        return self.categories * self.clips


def grid(size: Size, category: str) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return (video ids, starts in seconds) of a category's clips: every half second of every video."""
    per_video = np.full(size.videos, size.clips // size.videos)
    per_video[: size.clips % size.videos] += 1
    names = [content_hash(category, str(number)) for number in range(size.videos)]
    videos = [name for name, count in zip(names, per_video, strict=True) for _ in range(count)]
    return videos, np.concatenate([np.arange(count) * 0.5 for count in per_video])


def write(size: Size, url: str, category: str) -> None:
    """Write the clips of one category and every member's scores, which follow each other over a video."""
    datasets = Datasets(open_store(url))
    rng = np.random.default_rng(int(content_hash(category), 16))
    videos, starts = grid(size, category)
    n = len(videos)
    clip_ids = [f"{video}:{int(start * 1000)}" for video, start in zip(videos, starts, strict=True)]
    media = pa.array([f"media/{video}/" for video in videos])
    clips = filled(
        CLIPS, clip_id=clip_ids, video_id=videos, start_sec=starts, end_sec=starts + 2.0, split=["training"] * n,
        proxy_128=pc.binary_join_element_wise(media, "128.mp4", ""),
        proxy_256=pc.binary_join_element_wise(media, "256.mp4", ""), shot=(starts // 8).astype(np.int32),
    )  # fmt: skip
    datasets.write(CLIPS, [clips], keys={"category": category, "window": WINDOW}, **MADE)
    shared = np.convolve(rng.normal(size=n), np.ones(5) / 2, mode="same")
    for member in MEMBERS:
        odds = shared + rng.normal(size=n) - 1
        score = (1 / (1 + np.exp(-odds))).astype(np.float32)
        scores = filled(SCORES, clip_id=clip_ids, video_id=videos, member=[member] * n, score=score)
        keys = {"category": category, "window": WINDOW, "weights": member}
        datasets.write(SCORES, [scores], keys=keys, **MADE)
        # What a video shows, and what differs from clip to clip.
        shown = rng.normal(size=(size.videos, LENGTH))[np.unique(videos, return_inverse=True)[1]]
        kept = projection(LENGTH).packed((shown + rng.normal(size=(n, LENGTH)) / 3).astype(np.float32))
        features = filled(
            FEATURES, clip_id=clip_ids, video_id=videos, features=kept, projection=[projection(LENGTH).key] * n
        )
        datasets.write(FEATURES, [features], keys=keys, **MADE)


def prepare(size: Size, url: str, categories: Sequence[str]) -> None:
    """Fill the store."""
    with ProcessPoolExecutor(processors(), multiprocessing.get_context("spawn")) as pool:
        for _ in pool.map(partial(write, size, url), categories):
            pass


def seat(url: str, categories: Sequence[str]) -> None:
    """Seat the committee."""
    rows = [
        CommitteeRow(
            member=member, architecture=member, category=category, backbone="b", head="h", output=0, weights=member,
            origin=f"bootstrap:{WINDOW}",
        )
        for category in categories for member in MEMBERS
    ]  # fmt: skip
    Datasets(open_store(url)).write(COMMITTEES, [COMMITTEES.table(rows)], keys={"committee": "c1"}, **MADE)
    ledger = open_ledger()
    ledger.run_many("register_category", [{"category": name, "name": name, "guideline": None} for name in categories])
    ledger.run("add_committee", committee="c1", origin=f"bootstrap:{WINDOW}", categories=categories)
    ledger.close()


def mine(categories: Sequence[str], folder: Path) -> ProcessCost:
    """Run `slac mine` for these categories in a process of its own."""
    words = ["mine", "--round", ROUND, "--remake"]
    return slac([*words, *(word for category in categories for word in ("--category", category))], folder / "mine.log")


def measure(size: Size, folder: Path) -> Figures:
    """Mine one category, and all, batch by batch."""
    categories = [f"category_{number:03d}" for number in range(size.categories)]
    runs: list[tuple[int, ProcessCost]] = []
    with platform(folder) as url:
        made = Datasets(open_store(url))
        seat(url, categories)
        for start in range(0, size.categories, size.batch):
            batch, began = categories[start : start + size.batch], now()
            prepare(size, url, batch)
            print(f"{len(batch) * size.clips:,} clips written in {(now() - began).wall_sec:.0f} s", flush=True)
            for some in (batch[:1], batch) if start == 0 else (batch,):
                runs.append((len(some), mine(some, folder)))
            for dataset in (CLIPS, SCORES, FEATURES):
                shutil.rmtree(folder / "store" / f"{dataset.name}")
        chosen = sum(made.need(HARD_CLIPS, **keys).rows for keys in made.partitions(HARD_CLIPS))
    print(table({"categories": "", "clips": "", "s": ".1f", "clips per s": ",.0f", "peak GiB": ".2f"}, [
        (count, count * size.clips, run.wall_sec, count * size.clips / run.wall_sec, run.peak_bytes / 2**30)
        for count, run in runs
    ]))  # fmt: skip
    print(f"{chosen:,} clips chosen")
    (_, one), whole = runs[0], [run for _, run in runs[1:]]
    seconds, peak = sum(run.wall_sec for run in whole), max(run.peak_bytes for run in whole)
    return {
        "clips_per_s": size.all_clips / seconds,
        "seconds": seconds,
        "processor_s": sum(run.processor_sec for run in whole),
        "peak_gib": peak / 2**30,
        "peak_ratio": peak / one.peak_bytes,
        "one_category_s": one.wall_sec,
        "scale": size.all_clips / Size().all_clips,
    }


BENCH = Bench(
    name="mine", doc=__doc__, measure=measure,
    full=Size(), quick=Size(categories=2, batch=2), tiny=Size(categories=4, videos=20, clips=500, batch=2),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
