"""Worlds that are collected once and judged often: each clip with its truth, and with its features of every member."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from bench.harness.costs import now
from bench.harness.places import platform
from bench.loop import Loop, RehearsalLoop
from slac_tasks import config
from slac_tasks.mining.measures import Floats
from slac_tasks.mining.settings import Mining
from slac_tasks.model import Split
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.settings import Committee
from slac_tasks.networks.weights import decode_backbone, decode_head
from slac_tasks.reports.frames import all_rows as rows_of
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, VIDEOS
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.training.trainer import features
from slac_tasks.video.clips import ClipAddress, gather
from slac_tasks.video.lost import Lost
from slac_tasks.world import disk, presets
from slac_tasks.world import measure as worth
from slac_tasks.world.catalogue import PLANTED
from slac_tasks.world.rehearsal import Rehearsal
from slac_tasks.world.truth import read_truth

Head: TypeAlias = tuple[nn.Linear, list[str]]
"""A head, and the categories of its outputs."""


@dataclass(kw_only=True)
class World:
    """A collected world with a bootstrapped committee: every clip, its truth and its features."""

    seed: int
    """Of the people who answer and of the draws."""
    knobs: Mining
    clips: pd.DataFrame
    """clip_id, video_id, category, start_sec, shot, truth, is_test, is_pool; row i is row i of the features."""
    found: dict[str, Tensor]
    """By member: features (clips, features) of its frozen backbone."""
    heads: dict[str, Head]
    """By member: the bootstrapped head."""

    @property
    def categories(self) -> list[str]:
        """Every category but the planted one, which no video contains: nothing can be learned about it."""
        return sorted(set(self.clips["category"]) - {PLANTED.key})


def collect(folder: Path, size: str, seed: int) -> World:
    """Make a world, collect it, bootstrap its committee on the first window, and look at every clip once."""
    return _collected(Loop(folder, size, seed))


def collected(folder: Path, count: int, collect_one: Callable[[Path, int], World]) -> Iterator[World]:
    """Yield so many worlds, each made in a folder of its own: `collect_one` takes it and the seed."""
    for seed in range(count):
        place, began = folder / str(seed), now()
        with platform(place, place / "world" / "slac.toml"):
            world = collect_one(place, seed)
        print(f"world {seed}: {world.clips['is_pool'].sum():,} clips, {(now() - began).wall_sec:.0f} s to collect")
        yield world


def rehearse(folder: Path, takes: Path, *, seed: int, videos: int, committee: Committee = presets.REHEARSED) -> World:
    """Do the same with a rehearsal on real pixels.

    Args:
        folder: where it is made; the platform's settings are `world/slac.toml` in it.
        takes: one sub-folder of trimmed videos for each class, as `slac rehearse` takes them.
        seed: of the rehearsal, hence of what is tested, and of the people.
        videos: joined videos of one class.
        committee: members, where they start, and how long they learn.

    """
    loop = RehearsalLoop(folder, Rehearsal.of(takes, seed=seed, videos=videos))
    loop.make()
    disk.write(loop.world / "slac.toml", presets.rehearsal_settings(loop.world, committee))
    return _collected(loop)


def _collected(loop: Loop) -> World:
    loop.begin()
    for window in loop.windows:
        for item in loop.plan("collect_videos", window):
            loop.slac("discover", category=item.category, window=window)
            loop.slac("fetch", category=item.category, window=window)
        loop.slac("deduplicate", window=window)
        for item in loop.plan("score_clips", window):
            loop.slac("propose", category=item.category, window=window)
            if item.uncovered and window == loop.windows[0]:
                keys = {"window": window, "committee": item.committee, "parent": item.parent}
                loop.slac("bootstrap", category=item.uncovered, **keys)
    return build_world(loop.world, loop.seed, loop.windows)


def build_world(folder: Path, seed: int, windows: Sequence[str]) -> World:
    """Decode every clip once and keep what each member's frozen backbone makes of it."""
    settings = config.load()
    datasets = Datasets(open_store(settings.store_url))
    named = rows_of(datasets, VIDEOS)[["video_id", "category", "source_id"]]
    clips = rows_of(datasets, CLIPS).merge(named, on=["video_id", "category"])
    clips["truth"] = worth.contained(clips, read_truth(folder))
    clips["is_test"] = clips["split"] != Split.TRAINING.value
    # In a world of one window the committee has met the pool.
    clips["is_pool"] = ~clips["is_test"] & ((clips["window"] != windows[0]) | (len(windows) == 1))
    clips = clips[clips["is_test"] | clips["is_pool"]].reset_index(drop=True)
    addresses = [ClipAddress.of(cast(Any, row)) for row in clips.itertuples()]
    (committee,) = datasets.partitions(COMMITTEES)
    found, heads, pixels = {}, {}, {}
    for member, rows in datasets.read(COMMITTEES, **committee).to_pandas().groupby("member"):
        seat = rows.iloc[0]
        entry = architecture(seat["architecture"])
        if entry.view not in pixels:
            pixels[entry.view] = gather(addresses, entry.view, datasets.store.local, lost, "decode")
        kept, frames = pixels[entry.view]
        backbone = decode_backbone(entry, datasets.store.get(f"weights/{seat['backbone']}.pt"))
        seen = features(backbone, entry, frames, torch.device("cpu"))
        place = {clip.clip_id: row for row, clip in enumerate(kept)}
        found[str(member)] = seen[[place[clip] for clip in clips["clip_id"]]]
        heads[str(member)] = decode_head(entry, datasets.store.get(f"weights/{seat['head']}.pt"))
    return World(seed=seed, knobs=settings.mining, clips=clips, found=found, heads=heads)


def lost(video_id: str, why: Lost) -> None:
    """Stop: no video of a world may be lost."""
    raise RuntimeError(f"video {video_id}: {why.detail}")


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread inside the block: with heads this small, two wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def scored(world: World, heads: Mapping[str, Head]) -> Floats:
    """Return every member's score of every clip for its hypothesised action, shape (clips, members)."""
    columns = []
    for member, (head, outputs) in sorted(heads.items()):
        place = {category: output for output, category in enumerate(outputs)}
        with torch.inference_mode():
            every = torch.sigmoid(head(world.found[member])).numpy()
        rows = np.arange(len(world.clips))
        columns.append(every[rows, [place.get(category, 0) for category in world.clips["category"]]])
    return np.stack(columns, axis=1).astype(np.float64)
