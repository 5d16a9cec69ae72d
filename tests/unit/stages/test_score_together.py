"""Scoring with several processes, one on each device: what one process would have written, whatever was killed."""

import dataclasses
import multiprocessing
import shutil
from pathlib import Path

import pytest
from learning_world import MEMBERS, WINDOW, LearningWorld

from slac_tasks.children import together
from slac_tasks.errors import BrokenContract, NotConfigured, Temporary
from slac_tasks.job import Job
from slac_tasks.networks.settings import Scoring
from slac_tasks.stages import bootstrap, score
from slac_tasks.storage.datasets import COMMITTEES, SCORES
from slac_tasks.storage.shards import Shard

CATEGORIES = ("wave", "jump")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of two categories, and a committee that was trained on them."""
    world = LearningWorld(tmp_path_factory.mktemp("world"))
    for category in CATEGORIES:
        world.add_category(category)
    committee = world.recipe(*CATEGORIES)
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee=committee, categories=CATEGORIES))
    return world.folder


@pytest.fixture
def world(folder: Path, tmp_path: Path) -> LearningWorld:
    return LearningWorld(shutil.copytree(folder, tmp_path / "own"))


def scoring(world: LearningWorld, *devices: str, remake: bool = False) -> Job:
    config = dataclasses.replace(world.config(), device="cpu", scoring=Scoring(devices=devices))
    job = world.job("score", config=config, window=WINDOW, committee=world.recipe(*CATEGORIES), categories=CATEGORIES)
    return dataclasses.replace(job, remake=remake)


def scores(world: LearningWorld) -> dict[tuple[str, str], float]:
    found = world.datasets.partitions(SCORES)
    assert len(found) == len(CATEGORIES) * len(MEMBERS)
    rows = [row for keys in found for row in world.datasets.rows(SCORES, **keys)]
    assert len({(row.member, row.clip_id) for row in rows}) == len(rows)
    return {(row.member, row.clip_id): row.score for row in rows}


def test_two_processes_write_what_one_writes_and_take_up_what_a_killed_run_left(
    world: LearningWorld, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    score.run(scoring(world))
    alone = scores(world)
    begun = []
    monkeypatch.setattr(score, "together", lambda act, tasks, what: begun.extend(tasks) or together(act, tasks, what))
    score.run(scoring(world, "cpu", "cpu", remake=True))
    assert [task.share for task in begun] == [score.Share(rank=0, world=2), score.Share(rank=1, world=2)]
    assert "takes up" not in capfd.readouterr().err
    assert scores(world) == pytest.approx(alone, abs=1e-3)

    # A run that ends when the scores and features of one member are stored.
    whole, written = Shard.write, []

    def write(shard: Shard, rows: list, drops: list) -> None:
        if len(written) == 2:
            raise Temporary("store: is full")
        written.append(shard)
        whole(shard, rows, drops)

    monkeypatch.setattr(Shard, "write", write)
    with pytest.raises(Temporary, match="is full"):
        score.run(scoring(world, remake=True))
    monkeypatch.undo()
    capfd.readouterr()
    score.run(scoring(world, "cpu", "cpu", remake=True))
    assert "takes up 1 shard of an unfinished run" in capfd.readouterr().err
    assert scores(world) == pytest.approx(alone, abs=1e-3)
    assert not [name for name in world.store.names("") if "/unfinished/" in name]
    assert multiprocessing.active_children() == []


def test_the_failure_of_one_process_is_that_of_the_stage(world: LearningWorld) -> None:
    seat = next(iter(world.datasets.rows(COMMITTEES, committee=world.recipe(*CATEGORIES))))
    world.store.put(f"weights/{seat.backbone}.pt", b"no weights")
    with pytest.raises(BrokenContract):
        score.run(scoring(world, "cpu", "cpu"))
    assert not world.datasets.partitions(SCORES)
    assert multiprocessing.active_children() == []


def test_a_device_that_is_not_there_is_refused(world: LearningWorld) -> None:
    with pytest.raises(NotConfigured, match=r"setting scoring\.devices: cuda:7; want of cpu"):
        score.run(scoring(world, "cuda:7"))
