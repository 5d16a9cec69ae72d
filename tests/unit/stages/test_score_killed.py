"""A score stage is killed at random moments: it goes on where it was stopped, to the same bytes.

By default a few hundred clips and three kills. `SLAC_KILLS=10 SLAC_KILLED_CLIPS=2000` runs more, with a process beside
it that decodes.
"""

import itertools
import multiprocessing
import os
import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from learning_world import WINDOW, LearningWorld, draw

from slac_tasks.job import Job
from slac_tasks.model import clip_id
from slac_tasks.networks.desk import Desk, Piece
from slac_tasks.networks.settings import Scoring
from slac_tasks.stages import bootstrap, score
from slac_tasks.storage.datasets import CLIPS, SCORES

KILLS = int(os.environ.get("SLAC_KILLS", "3"))
COUNT = int(os.environ.get("SLAC_KILLED_CLIPS", "300"))
SECONDS, PER_VIDEO = 10, 17
AT_LARGE = COUNT >= 2000
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["slac_tasks.stages.score"])


def filled(folder: Path) -> LearningWorld:
    """A world with `COUNT` clips of one category, and a committee that was trained on another."""
    world = LearningWorld(folder)
    world.add_category("wave")
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee=world.recipe("wave"), categories=("wave",)))
    (first, *_) = world.datasets.rows(CLIPS, category="wave", window=WINDOW)
    rows = []
    for video in range(-(-COUNT // PER_VIDEO)):
        path = folder / "drawn.mp4"
        if video < 8:
            draw(path, colour=(30 * video, 200 - 20 * video, 90), speed=1 + video, seconds=SECONDS)
        video_id = f"{video:016d}"
        name = f"media/{video_id}/0000000000000000-128.mp4"
        world.store.put_file(name, path)
        for step in range(min(PER_VIDEO, COUNT - len(rows))):
            start = step * 0.5
            rows.append(
                type(first)(
                    clip_id=clip_id(video_id, start), video_id=video_id, start_sec=start, end_sec=start + 2,
                    split="training", proxy_128=name, proxy_256=name, shot=0, people=None,
                )
            )  # fmt: skip
    keys = {"category": "wave", "window": WINDOW}
    world.datasets.write(CLIPS, [CLIPS.table(rows)], keys=keys, stage="propose", settings={}, made_from={})
    return world


def work(job: Job, shard_clips: int, log: str) -> None:
    """Score, in a process of its own; the log gets a line for each shard that is begun."""
    # Threads of networks this small wait for each other longer than they compute.
    torch.set_num_threads(1)
    score.SHARD_CLIPS = {"cpu": shard_clips}
    whole = Desk.score

    def logged(desk: Desk, piece: Piece, *rest: object) -> None:
        with open(log, "a") as file:
            file.write(piece.clips["clip_id"][0].as_py() + "\n")
        whole(desk, piece, *rest)

    Desk.score = logged
    score.run(job)


@dataclass(frozen=True, kw_only=True)
class Kill:
    """When a run is killed."""

    shards: int
    """After so many shards have begun,"""
    seconds: float
    """so much later."""


def run(job: Job, log: Path, kill: Kill | None) -> tuple[list[str], float]:
    """Run a stage, killed or to its end; return (the shards that it began, by their first clip; its seconds)."""
    log.unlink(missing_ok=True)
    process = PROCESSES.Process(target=work, args=(job, 64 if AT_LARGE else 32, str(log)))
    process.start()
    began = time.monotonic()
    if kill is None:
        process.join()
        assert process.exitcode == 0
    else:
        while process.is_alive() and not (log.exists() and len(log.read_text().split()) >= kill.shards):
            time.sleep(0.005)
        process.join(kill.seconds)
        assert process.is_alive(), "killed too late: it had ended"
        process.kill()
        process.join()
    return log.read_text().split(), time.monotonic() - began


def stored(world: LearningWorld) -> dict[str, bytes]:
    """Every part of the scores, and whatever else of them is no manifest."""
    names = [name for name in world.store.names("scores/") if not name.endswith(".json")]
    return {name: world.store.get(name) for name in names}


@pytest.mark.timeout(3600)
def test_a_stage_that_is_killed_again_and_again_ends_with_the_same_bytes(tmp_path):
    world = filled(tmp_path / "undisturbed")
    shutil.copytree(tmp_path / "undisturbed", tmp_path / "killed")
    config = world.config()
    if AT_LARGE:
        config.__dict__["scoring"] = Scoring(workers=1)
    log = tmp_path / "log"
    job = world.job("score", config=config, window=WINDOW, committee=world.recipe("wave"), categories=("wave",))
    shards, seconds = run(job, log, None)
    expected = stored(world)
    assert len(shards) == len(set(shards)) > 3
    assert world.datasets.need(SCORES, **world.datasets.partitions(SCORES)[0]).rows == COUNT

    killed = LearningWorld(tmp_path / "killed")
    config.__dict__["store_url"] = killed.store.url
    job = killed.job("score", config=config, window=WINDOW, committee=world.recipe("wave"), categories=("wave",))
    chance = random.Random(COUNT)
    # Twice the even share at most: since a run redoes the shard in which the one before was killed, work is left.
    most = 2 * len(shards) // (KILLS + 1)
    # Half of a shard's time, since the start of the process is among the seconds.
    late = seconds / len(shards) / 2
    kills = [Kill(shards=chance.randint(1, most), seconds=chance.uniform(0, late)) for _ in range(KILLS)]
    begun = [run(job, log, kill)[0] for kill in [*kills, None]]
    print(f"{COUNT} clips, {len(shards)} shards, {seconds:.1f} s undisturbed")
    print(f"shards begun before each kill and after the last: {list(map(len, begun))}")

    assert stored(killed) == expected
    for before, after in itertools.pairwise(begun):
        # Lost are the shard in work, and the one before it, where it was being written.
        assert not set(before[:-2]) & set(after)
    assert sum(map(len, begun)) <= len(shards) + 2 * KILLS
