"""What `slac score` needs to be measured: a video, the clips of it, and committees of networks with random weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bench.harness.videos import ffmpeg, proxy
from slac_tasks import config
from slac_tasks.collect.settings import Collect
from slac_tasks.job import Job
from slac_tasks.model import CLIP_SEC, clip_id, content_hash
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.weights import encode_backbone, encode_head
from slac_tasks.storage.datasets import CLIPS, COMMITTEES
from slac_tasks.storage.datasets.collecting import ClipRow
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.objects import open_store, put_by_content
from slac_tasks.storage.tables import Datasets
from slac_tasks.training.trainer import seeded
from slac_tasks.video.frames import length_sec

ORIGINAL = "original.mp4"
WINDOW, WARM = "2026-01-05", "2025-12-29"
PEAK_BF16_FLOPS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Dense bfloat16 operations per second, by NVIDIA's data sheets (SXM)."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A store that holds one video's clips, twice: a few to warm up, and those that are measured."""

    original: Path
    settings: config.Config
    starts: Sequence[float]
    device: str

    @property
    def datasets(self) -> Datasets:
        """The store's datasets."""
        return Datasets(open_store(self.settings.store_url))


def film(path: Path, seconds: float) -> None:
    """Write a 720p H.264 video: motion, edges, a little noise, and a key frame every 5 seconds, as web videos have."""
    picture = f"testsrc2=size=1280x720:rate=30:duration={seconds},noise=alls=8:allf=t"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "veryfast", "-g", "150", "-pix_fmt", "yuv420p",
           str(path))  # fmt: skip


def films(folder: Path, clips: int) -> Path:
    """Make a video and its proxies; return their folder."""
    film(folder / ORIGINAL, min(120.0, 2.0 + clips * 0.5))
    proxy(folder / ORIGINAL, folder, Collect())
    return folder


def scene(
    folder: Path, media: Path, clips: int, device: str, *, small: str = "128.mp4", large: str = "256.mp4"
) -> Scene:
    """Make the datasets that `slac score` reads.

    Args:
        folder: where the store is made.
        media: a folder as of `films`.
        clips: how many.
        device: where networks run.
        small: the file from which small views are decoded.
        large: the same of large views.

    """
    original = media / ORIGINAL
    length = length_sec(media / small)
    settings = config.Config(store_url=str(folder / "store"), device=device)
    where = open_store(settings.store_url)
    for name in {small, large}:
        where.put_file(f"media/v/{name}", media / name)
    # One short video is scored again and again, as so many videos: the decode is not spared.
    grid = np.arange(0, length - 1.95, 0.5)
    starts = [float(grid[i % len(grid)]) for i in range(clips)]
    made = Scene(original=original, settings=settings, starts=starts, device=device)
    for window, count in ((WARM, min(2, clips)), (WINDOW, clips)):
        rows = [
            ClipRow(
                clip_id=clip_id(f"v{i // len(grid)}", start), video_id=f"v{i // len(grid)}", start_sec=start,
                end_sec=start + CLIP_SEC, split="training", proxy_128=f"media/v/{small}", proxy_256=f"media/v/{large}",
                shot=0,
            )
            for i, start in enumerate(starts[:count])
        ]  # fmt: skip
        keys = {"category": "anything", "window": window}
        made.datasets.write(CLIPS, [CLIPS.table(rows)], keys=keys, stage="bench", settings={}, made_from={})
    return made


def seat(made: Scene, names: Sequence[str]) -> str:
    """Write a committee of these members, with random weights; return its key."""
    where = open_store(made.settings.store_url)
    rows = []
    for name in names:
        entry = architecture(name)
        with seeded(0):
            backbone = put_by_content(where, "weights", ".pt", encode_backbone(entry, entry.build()))
            head = nn.Linear(entry.features, 1)
        stored = put_by_content(where, "weights", ".pt", encode_head(entry, head, ["anything"]))
        rows.append(
            CommitteeRow(
                member=name, architecture=name, category="anything", backbone=backbone, head=stored, output=0,
                weights=content_hash(name, backbone, stored), origin=f"bootstrap:{WARM}",
            )
        )  # fmt: skip
    key = f"c{len(names):08d}"
    made.datasets.write(
        COMMITTEES, [COMMITTEES.table(rows)], keys={"committee": key}, stage="bench", settings={}, made_from={}
    )
    return key


def scoring(made: Scene, committee: str, window: str) -> Job:
    """Return the job that scores a window; what was scored before is scored again."""
    keys = {"window": window, "committee": committee}
    return Job(stage="score", config=made.settings, categories=("anything",), given=keys, remake=True)


def peak_share(clips_per_sec: float, names: Sequence[str], passes: int = 1) -> float | None:
    """Return which part of the GPU's bfloat16 peak the networks alone make up, or None for a GPU that is not listed.

    Args:
        clips_per_sec: how many clips each network sees.
        names: the networks.
        passes: forward passes that the work on a clip is worth: 3 where they learn.

    """
    peak = next((flops for name, flops in PEAK_BF16_FLOPS.items() if name in torch.cuda.get_device_name()), None)
    if peak is None:
        return None
    flops = 0
    for name in names:
        entry = architecture(name)
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            entry.build().eval()(torch.zeros(1, 3, entry.frames, entry.size, entry.size))
        flops += counter.get_total_flops()
    return clips_per_sec * flops * passes / peak
