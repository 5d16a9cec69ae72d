"""Stages that open media, killed between any two writes on a real S3 server: the next run ends as the first one did."""

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from learning_world import SECONDS, WINDOW, LearningWorld

from slac_tasks.job import Job
from slac_tasks.stages import bootstrap, propose, score
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, VIDEOS
from slac_tasks.storage.datasets.collecting import Span, VideoRow
from slac_tasks.storage.s3 import S3Store

KEYS = {"category": "wave", "window": WINDOW}


class Recorded(S3Store):
    """Part of a bucket that remembers what was written into it, in order."""

    def __init__(self, *of: Any) -> None:
        super().__init__(*of)
        self.writes: list[tuple[str, bytes]] = []

    def put(self, name: str, data: bytes) -> None:
        super().put(name, data)
        self.writes.append((name, data))

    def put_file(self, name: str, path: Path) -> None:
        super().put_file(name, path)
        self.writes.append((name, path.read_bytes()))

    def create(self, name: str, data: bytes) -> bool:
        self.writes.append((name, data))
        return super().create(name, data)


def for_propose(world: LearningWorld) -> str:
    """Put an admitted video in the place of its clips; return a part of what all of its names hold that are written."""
    clip = next(iter(world.datasets.rows(CLIPS, **KEYS)))
    for name in list(world.store.names("clips/")):
        world.store.delete(name)
    video = VideoRow(
        source="s", source_id="a", candidate_id="a", duration_sec=float(SECONDS), fps=24.0, proxy_256=clip.proxy_256,
        proxy_128=clip.proxy_128, proxy_sha256="0", shots=(Span(start_sec=0.0, end_sec=float(SECONDS)),),
        video_id=clip.video_id, group_id="a", split="training",
    )  # fmt: skip
    world.datasets.write(VIDEOS, [VIDEOS.table([video])], keys=KEYS, stage="test", settings={}, made_from={})
    return "clips/"


def for_score(world: LearningWorld) -> str:
    """Train a committee; return the weights of one of its members, of which the names hold what is written of it."""
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee=world.recipe("wave"), categories=("wave",)))
    return next(iter(world.datasets.rows(COMMITTEES, committee=world.recipe("wave")))).weights


@pytest.mark.parametrize(("stage", "begin"), [(propose, for_propose), (score, for_score)])
def test_a_stage_that_is_killed_between_any_two_writes_is_finished_by_the_next_run(
    stage: ModuleType, begin: Callable[[LearningWorld], str], tmp_path: Path, s3: dict[str, str], one_thread: None
) -> None:
    world = LearningWorld(tmp_path)
    world.add_category("wave", videos=1)
    part = begin(world)
    store = Recorded("slac", uuid.uuid4().hex[:8], s3)
    for name in world.store.names(""):
        store.put(name, world.store.get(name))

    def run() -> list[tuple[str, bytes]]:
        """Run the stage; return what it wrote."""
        store.writes.clear()
        given = {"window": WINDOW} | ({"committee": world.recipe("wave")} if stage is score else {})
        config = replace(world.config(), store_url=store.url)
        name = stage.__name__.rpartition(".")[2]
        job = Job(stage=name, config=config, environ=s3, categories=("wave",), given=given)
        vars(job)["store"] = store
        stage.run(job)
        return list(store.writes)

    def forget() -> None:
        for name in list(store.names("")):
            if part in name or (name.startswith("arrivals/") and part in store.get(name).decode()):
                store.delete(name)

    def made() -> dict[str, bytes]:
        """Return what is there, without moments, what hashes them, and rates; shards may be left, which are garbage."""
        names = [name for name in store.names("") if not name.startswith("rates/") and "/unfinished/" not in name]
        return {name: re.sub(rb'"written_at": "[^"]+"|"[0-9a-f]{64}"', b"", store.get(name)) for name in names}

    writes = [(name, data) for name, data in run() if part in name or part.encode() in data]
    want = made()
    assert len(writes) > 3
    for killed in range(len(writes)):
        forget()
        for name, data in writes[:killed]:
            store.put(name, data)
        run()
        assert made() == want, writes[killed]
