"""Scoring against a plain torchvision loop, and what a card does: `python -m bench.score [--quick | --gpu]`.

The same clips of one 720p video, half a second apart as candidates are, scored in one run by

  plain   what a user writes first: torchvision's network in float32, batches of 8, and for every clip a PyAV seek in
          the original; several networks are several such loops
  slac    `slac score`, the stage itself: proxies, one decode for all members, the device's fastest precision; ids,
          canaries, checks and writing included

on the same threads, once with one RGB member and once with three. `--gpu` measures the card alone, the most important
figures first (see bench/harness/cards.py); it takes the videos from the folder `--media` where there is no ffmpeg. The
last line is one JSON object.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated

import torch

from bench.harness import Absent, Bench, Figures
from bench.harness.cards import on_card
from bench.harness.plain import plain, timed
from bench.harness.scoring import WARM, WINDOW, Scene, films, scene, scoring, seat
from bench.harness.tables import table
from slac_tasks.model import View
from slac_tasks.networks.registry import architecture
from slac_tasks.stages import score
from slac_tasks.storage.datasets import CLIPS, SCORES
from slac_tasks.storage.objects import open_store
from slac_tasks.video.clips import ADDRESS, addresses, chunks, footage
from slac_tasks.video.lost import Lost
from slac_tasks.video.pool import Cut, Pool
from slac_tasks.video.sources import OpensMedia


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is scored."""

    clips: Annotated[int, "clips scored on processors"] = 64
    gpu: Annotated[bool, "measure the GPU alone"] = False
    gpu_clips: Annotated[int, "clips scored on the GPU"] = 16_384
    media: Annotated[Path | None, "folder with original.mp4, 128.mp4, 256.mp4 and 1080.mp4; none: they are made"] = None
    waiting: Annotated[int, "clips that wait when the first batch is timed, with eight workers"] = 8000
    members: Annotated[tuple[str, ...], "three networks of torchvision; the first is asked alone, too"] = (
        "r2plus1d_18", "mc3_18", "r3d_18",
    )  # fmt: skip

    @property
    def committees(self) -> Mapping[int, Sequence[str]]:
        """By their number of members: the first one alone, and all."""
        return {count: self.members[:count] for count in (1, len(self.members))}


def ours(made: Scene, names: Sequence[str]) -> float:
    """Return the seconds that the stage takes for all clips; weights were used before, as after a first window."""
    committee = seat(made, names)
    timed(lambda: score.run(scoring(made, committee, WARM)), made.device)
    seconds = timed(lambda: score.run(scoring(made, committee, WINDOW)), made.device)
    for written in made.datasets.partitions(SCORES, window=WINDOW):
        assert made.datasets.need(SCORES, **written).rows == len(made.starts)
    return seconds


def decode_seconds(made: Scene, names: Sequence[str]) -> float:
    """Return the seconds of our decode alone, in this process."""
    clips = addresses(made.datasets.read(CLIPS, ADDRESS, category="anything", window=WINDOW))
    views = {architecture(name).view for name in names}
    local = open_store(made.settings.store_url).local

    def lost(video_id: str, why: Lost) -> None:
        raise RuntimeError(f"video {video_id}: {why.detail}")

    def decode() -> None:
        for _ in footage(clips, views, local, lost, "decode"):
            pass

    return timed(decode, made.device)


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Seconds of each way to score all clips with one committee."""

    plain: float
    slac: float
    decode: float
    """Of our decode alone."""


def compare(folder: Path, committees: Mapping[int, Sequence[str]], clips: int) -> dict[int, Ways]:
    """Score the clips in every way on processors, with each committee."""
    made = scene(folder, films(folder, clips), clips, "cpu")
    # The plain loops go first: the stage changes how this process keeps memory, which would speed them up too.
    plainly = {name: plain(made, name) for name in dict.fromkeys(chain.from_iterable(committees.values()))}
    return {
        count: Ways(
            plain=sum(plainly[name] for name in names), slac=ours(made, names), decode=decode_seconds(made, names)
        )
        for count, names in committees.items()
    }


def on_processors(size: Size, folder: Path) -> dict[str, float | None]:
    """Return the figures of the processors, and print milliseconds per clip."""
    folder.mkdir()
    found = compare(folder, size.committees, size.clips)
    print(f"{size.clips} clips of 720p on {torch.get_num_threads()} threads, processor milliseconds per clip")
    heads = {"members": "", **dict.fromkeys(("plain", "slac", "of which decode"), ".1f"), "speed-up": ".2f"}
    per_clip = 1000 / size.clips
    print(table(heads, [
        (str(count), took.plain * per_clip, took.slac * per_clip, took.decode * per_clip, took.plain / took.slac)
        for count, took in found.items()
    ]))  # fmt: skip
    three = found[len(size.members)]
    return {
        "cpu_speedup_one": found[1].plain / found[1].slac,
        "cpu_speedup_three": three.plain / three.slac,
        "decode_share": three.decode / three.slac,
    }


def starting(size: Size, folder: Path) -> dict[str, float | None]:
    """Return how long eight workers take to the first batch of many clips, and what a second worker is worth."""
    folder.mkdir()
    made = scene(folder, films(folder, 20), size.waiting, "cpu")
    rows = addresses(made.datasets.read(CLIPS, ADDRESS, category="anything", window=WINDOW))
    batches = [[clip.cut for clip in some] for some in chunks(rows, 64)]
    view = architecture(size.members[0]).view
    local = open_store(made.settings.store_url).local
    began = time.perf_counter()
    with Pool(local, [view], batch=64, buffer=16, workers=8) as pool:
        next(pool.batches(batches))
        first = time.perf_counter() - began
    rates = {workers: _rate(local, view, batches[: 2 + len(batches) // 16], workers) for workers in (1, 2)}
    print(f"first batch of {len(rows)} clips after {first:.2f} s; clips/s by workers: {rates}")
    return {"first_batch_s": first, "workers_scale": rates[2] / rates[1]}


def _rate(local: OpensMedia, view: View, batches: Sequence[Sequence[Cut]], workers: int) -> float:
    """Return the clips that so many workers decode in a second, from the second batch on."""
    with Pool(local, [view], batch=64, buffer=2 * workers, workers=workers) as pool:
        found = pool.batches(batches)
        next(found)
        began = time.perf_counter()
        for _ in found:
            pass
    return sum(map(len, batches[1:])) / (time.perf_counter() - began)


def measure(size: Size, folder: Path) -> Figures:
    """Score on processors; or on the GPU alone."""
    if not size.gpu:
        figures = on_processors(size, folder / "scored") | starting(size, folder / "started")
        return figures | {"scale": size.clips / Size().clips}
    if not torch.cuda.is_available():
        raise Absent("a GPU")
    media = size.media or films(folder, 240)
    return on_card(size.members, size.gpu_clips, media, folder, "cuda") | {"scale": size.gpu_clips / Size().gpu_clips}


BENCH = Bench(
    name="score", doc=__doc__, measure=measure,
    full=Size(), quick=Size(clips=4, members=("mc3_18", "r3d_18", "frame_resnet18")),
    tiny=Size(clips=1, gpu_clips=16, members=("mc3_18",), waiting=100),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
