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
    score.SHARD_CLIPS = shard_clips
    whole = score._score_piece

    def logged(piece: score.Piece, *rest: object) -> None:
        with open(log, "a") as file:
            file.write(f"{piece.clips['clip_id'][0].as_py()} {time.monotonic()}\n")
        whole(piece, *rest)

    score._score_piece = logged
    score.run(job)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of the stage, whole or killed."""

    shards: list[str]
    """The shards that it began, in order, by their first clip."""
    first_sec: float
    """What the first of them took: until decoding processes have started, nothing is scored."""
    seconds: float
    """From the start of the first to the end."""


def run(job: Job, log: Path, seconds: float | None) -> Run:
    """Run a stage, or kill it `seconds` after its first shard began."""
    log.unlink(missing_ok=True)
    process = PROCESSES.Process(target=work, args=(job, 64 if AT_LARGE else 32, str(log)))
    process.start()
    while not log.exists() and process.is_alive():
        time.sleep(0.005)
    began = time.monotonic()
    process.join(seconds)
    process.kill()
    process.join()
    if seconds is None:
        assert process.exitcode == 0
    ended = time.monotonic()
    lines = [line.split() for line in log.read_text().splitlines()]
    begins = [float(moment) for _, moment in lines]
    first = (begins[1] if len(begins) > 1 else ended) - begins[0]
    return Run(shards=[clip for clip, _ in lines], first_sec=first, seconds=ended - began)


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
    whole = run(job, log, None)
    shards = whole.shards
    expected = stored(world)
    assert len(shards) == len(set(shards)) > 3
    assert world.datasets.need(SCORES, **world.datasets.partitions(SCORES)[0]).rows == COUNT

    killed = LearningWorld(tmp_path / "killed")
    config.__dict__["store_url"] = killed.store.url
    job = killed.job("score", config=config, window=WINDOW, committee=world.recipe("wave"), categories=("wave",))
    chance = random.Random(COUNT)
    # Beside the start, twice the even share at most: the last kill comes before the end.
    latest = whole.first_sec + 2 * (whole.seconds - whole.first_sec) / (KILLS + 1)
    moments = [chance.uniform(0, latest) for _ in range(KILLS)]
    begun = [run(job, log, moment).shards for moment in moments]
    begun.append(run(job, log, None).shards)
    print(f"{COUNT} clips, {len(shards)} shards, {whole.seconds:.1f} s undisturbed, {whole.first_sec:.1f} s the first")
    print(f"shards begun before each kill and after the last: {list(map(len, begun))}")

    assert stored(killed) == expected
    for before, after in itertools.pairwise(begun):
        # What a run had begun before the last shard was stored; only the one in work is lost.
        assert not set(before[:-1]) & set(after)
        assert len(set(before) & set(after)) <= 1
    assert sum(map(len, begun)) <= len(shards) + KILLS
