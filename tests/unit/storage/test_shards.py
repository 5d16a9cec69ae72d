"""Shards of a partition through the job that makes it."""

import pytest
from learning_world import WINDOW, LearningWorld

from slac_tasks.errors import BrokenContract, Temporary
from slac_tasks.job import Job
from slac_tasks.storage.datasets import CLIPS, SCORES
from slac_tasks.storage.datasets.scoring import ScoreRow
from slac_tasks.storage.manifests import Drop

KEYS = {"category": "judo", "window": WINDOW, "weights": "w1"}


@pytest.fixture
def world(tmp_path) -> LearningWorld:
    return LearningWorld(tmp_path)


def row(number: int) -> ScoreRow:
    return ScoreRow(clip_id=f"v:{number}", video_id="v", member="m", score=number / 8)


def lacking(job: Job, *, of: tuple[str, ...] = ("a",), stop: bool = True, inputs=(), shards: int = 2) -> list[str]:
    """Make a partition of shards and return those that it lacked. `stop` fails before the manifest, as a kill does."""
    made_now = []
    try:
        with job.partition(SCORES, KEYS, inputs=inputs) as made:
            for number in range(shards):
                shard = made.shard(f"{number:05d}", of=of)
                if not shard.is_done:
                    made_now.append(f"{number:05d}")
                    shard.write([row(number)], [Drop(item=str(number), reason="undecodable")])
            if stop:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    return made_now


def unfinished(world: LearningWorld) -> list[str]:
    return [name for name in world.store.names("scores/") if "/unfinished/" in name]


def test_a_run_after_a_kill_takes_up_what_is_done(world):
    job = world.job("score")
    assert lacking(job, shards=1) == ["00000"]
    assert world.datasets.manifest(SCORES, **KEYS) is None
    assert lacking(job, stop=False) == ["00001"]
    assert world.datasets.rows(SCORES, **KEYS) == [row(0), row(1)]
    assert [drop.item for drop in world.datasets.need(SCORES, **KEYS).drops] == ["0", "1"]
    assert unfinished(world) == []


def test_a_shard_of_other_items_is_made_again_and_deleted_in_the_end(world):
    job = world.job("score")
    assert lacking(job) == ["00000", "00001"]
    assert lacking(job, of=("a", "b"), stop=False) == ["00000", "00001"]
    assert unfinished(world) == []


def test_a_shard_of_other_inputs_is_made_again(world):
    job = world.job("score")
    world.add_category("judo")
    lacking(job)
    inputs = [world.datasets.need(CLIPS, category="judo", window=WINDOW)]
    assert lacking(job, inputs=inputs) == ["00000", "00001"]
    assert lacking(job, inputs=inputs) == []


def test_a_remake_takes_up_nothing_of_the_generation_before(world):
    job = world.job("score")
    lacking(job)
    kept = {name: world.store.get(name) for name in unfinished(world)}
    lacking(job, stop=False)
    for name, data in kept.items():  # a kill between the manifest and the deletion leaves them
        world.store.put(name, data)
    assert lacking(world.job("score", remake=True), stop=False) == ["00000", "00001"]
    assert world.datasets.need(SCORES, **KEYS).generation == 2
    assert unfinished(world) == []


def test_a_shard_that_another_process_deleted_asks_for_a_retry(world):
    lacking(world.job("score"))
    (shard, _) = unfinished(world)

    def finish() -> None:
        with world.job("score").partition(SCORES, KEYS) as made:
            made.shard("00000", of=["a"])
            made.shard("00001", of=["a"])
            world.store.delete(shard)

    with pytest.raises(Temporary, match="another process finished the partition"):
        finish()
    assert world.datasets.manifest(SCORES, **KEYS) is None


def test_a_damaged_shard_is_refused(world):
    lacking(world.job("score"))
    world.store.put(unfinished(world)[0], b"no shard")
    with pytest.raises(BrokenContract, match=r"00000.*is damaged"):
        lacking(world.job("score"), stop=False)
