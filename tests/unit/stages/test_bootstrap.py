import pytest
import torch
from learning_world import MEMBERS, WINDOW, LearningWorld

from slac_tasks.errors import NotMade
from slac_tasks.stages import bootstrap, score
from slac_tasks.storage.datasets import COMMITTEES, SCORES
from slac_tasks.video.clips import ClipAddress


@pytest.fixture
def world(tmp_path):
    made = LearningWorld(tmp_path)
    made.add_category("wave")
    made.add_category("jump")
    return made


def train(world: LearningWorld, committee: str, *categories: str, **given) -> list[dict]:
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee=committee, categories=categories, **given))
    return world.datasets.read(COMMITTEES, committee=committee).to_pylist()


def test_every_member_scores_every_category(world):
    rows = train(world, "c0000001", "wave", "jump")
    assert {(row["member"], row["category"]) for row in rows} == {(m, c) for m in MEMBERS for c in ("wave", "jump")}
    assert all(world.store.exists(f"weights/{row[part]}.pt") for row in rows for part in ("backbone", "head"))
    assert {row["origin"] for row in rows} == {f"bootstrap:{WINDOW}"}


def test_the_same_clips_and_seed_train_the_same_weights(world):
    first, second = (train(world, committee, "wave", "jump") for committee in ("c0000001", "c0000002"))
    assert first == second


def test_a_category_that_is_added_changes_nothing_of_the_others(world):
    old = train(world, "c0000001", "wave", "jump")
    score.run(world.job("score", window=WINDOW, committee="c0000001", categories=("wave",)))
    before = {keys["weights"] for keys in world.datasets.partitions(SCORES)}
    world.add_category("spin")
    new = train(world, "c0000002", "spin", parent="c0000001")
    assert [row for row in new if row["category"] != "spin"] == old
    added = [row for row in new if row["category"] == "spin"]
    assert [row["member"] for row in added] == list(MEMBERS)
    assert {row["backbone"] for row in added} == {row["backbone"] for row in old}
    assert not {row["weights"] for row in added} & {row["weights"] for row in old}
    score.run(world.job("score", window=WINDOW, committee="c0000002", categories=("wave", "spin")))
    assert {k["weights"] for k in world.datasets.partitions(SCORES, category="wave")} == before
    assert len(world.datasets.partitions(SCORES, category="spin")) == len(MEMBERS)


def test_a_second_run_does_nothing(world, monkeypatch, capsys):
    train(world, "c0000001", "wave", "jump")
    monkeypatch.setattr(bootstrap, "_fresh", lambda *_: pytest.fail("trained again"))
    train(world, "c0000001", "wave", "jump")
    assert "finished already" in capsys.readouterr().err


def test_nothing_uncovered_is_no_work(world, capsys):
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee="c0000001"))
    assert "nothing uncovered" in capsys.readouterr().err
    assert world.datasets.manifest(COMMITTEES, committee="c0000001") is None


def test_testing_videos_teach_nothing(tmp_path):
    world = LearningWorld(tmp_path)
    world.add_category("wave", split="testing")
    with pytest.raises(NotMade, match="no training clips of wave"):
        train(world, "c0000001", "wave")


def test_a_category_without_training_clips_is_set_aside_with_its_reason(world):
    world.add_category("late", split="testing")
    rows = train(world, "c0000001", "wave", "late")
    assert {row["category"] for row in rows} == {"wave"}
    assert world.datasets.need(COMMITTEES, committee="c0000001").dropped == {"no training clips": 1}


def test_a_clip_counts_for_every_category_that_its_video_was_retrieved_for():
    clip = ClipAddress(clip_id="v:0", video_id="v", start_sec=0, proxy_128="p", proxy_256="p")
    targets = bootstrap.weak_targets([clip], {"v:0": {"a", "c"}}, ["a", "b", "c"])
    assert torch.equal(targets, torch.tensor([[1, -1, 1]], dtype=torch.int8))
