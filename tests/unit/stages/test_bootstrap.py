import pytest
import torch
from learning_world import MEMBERS, WINDOW, LearningWorld

from slac_tasks.errors import NotMade, Temporary, WrongArguments
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.weights import encode_backbone
from slac_tasks.stages import bootstrap, score
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, SCORES
from slac_tasks.storage.tables import Datasets
from slac_tasks.training.teaching import ByClips
from slac_tasks.video.clips import gather

BEFORE = ("frame_resnet18", "small_3d", "small_motion")
"""Members of settings that were changed since."""


@pytest.fixture
def world(tmp_path):
    made = LearningWorld(tmp_path)
    made.add_category("wave")
    made.add_category("jump")
    return made


def train(world: LearningWorld, *categories: str, parent: str | None = None, settings=None, **given) -> list[dict]:
    """Train by a recipe and return the rows of the committee."""
    settings = settings or {}
    committee = world.recipe(*categories, parent=parent, **settings)
    given |= {"window": WINDOW, "committee": committee, **({"parent": parent} if parent else {})}
    bootstrap.run(world.job("bootstrap", categories=categories, config=world.config(**settings), **given))
    return world.datasets.rows(COMMITTEES, committee=committee)


def test_every_member_scores_every_category(world):
    rows = train(world, "wave", "jump")
    assert {(row.member, row.category) for row in rows} == {(m, c) for m in MEMBERS for c in ("wave", "jump")}
    assert all(world.store.exists(f"weights/{name}.pt") for row in rows for name in (row.backbone, row.head))
    assert {row.origin for row in rows} == {f"bootstrap:{WINDOW}"}


def test_the_same_recipe_trains_the_same_weights(world):
    first = train(world, "wave", "jump")
    assert train(world, "wave", "jump", remake=True) == first
    assert world.datasets.need(COMMITTEES, committee=world.recipe("wave", "jump")).generation == 2


def test_a_frozen_backbone_stays_as_it_started(tmp_path, world):
    started = architecture("small_frame").build()
    torch.save(started.frame_network.state_dict(), tmp_path / "small_frame.pt")
    for name in ("small_3d", "small_motion"):
        torch.save(architecture(name).build().state_dict(), tmp_path / f"{name}.pt")
    rows = train(world, "wave", "jump", settings={"pretrained": str(tmp_path), "frozen": True})
    (blob,) = {row.backbone for row in rows if row.member == "small_frame"}
    assert world.store.get(f"weights/{blob}.pt") == encode_backbone(architecture("small_frame"), started)
    assert len({row.head for row in rows}) == len(MEMBERS)


def test_another_recipe_under_the_same_id_is_refused(world):
    train(world, "wave", "jump")
    other = world.config(steps=4)
    job = world.job(
        "bootstrap", window=WINDOW, committee=world.recipe("wave", "jump"), categories=("wave", "jump"), config=other,
        remake=True,
    )  # fmt: skip
    with pytest.raises(WrongArguments, match=f"make {world.recipe('wave', 'jump', steps=4)}: plan again"):
        bootstrap.run(job)


def test_a_category_that_is_added_changes_nothing_of_the_others(world):
    old = train(world, "wave", "jump")
    parent = world.recipe("wave", "jump")
    score.run(world.job("score", window=WINDOW, committee=parent, categories=("wave",)))
    before = {keys["weights"] for keys in world.datasets.partitions(SCORES)}
    world.add_category("spin")
    new = train(world, "spin", parent=parent)
    assert [row for row in new if row.category != "spin"] == old
    added = [row for row in new if row.category == "spin"]
    assert [row.member for row in added] == list(MEMBERS)
    assert {row.backbone for row in added} == {row.backbone for row in old}
    assert not {row.weights for row in added} & {row.weights for row in old}
    committee = world.recipe("spin", parent=parent)
    score.run(world.job("score", window=WINDOW, committee=committee, categories=("wave", "spin")))
    assert {k["weights"] for k in world.datasets.partitions(SCORES, category="wave")} == before
    assert len(world.datasets.partitions(SCORES, category="spin")) == len(MEMBERS)


def test_a_member_that_joins_the_settings_is_trained_for_all_categories_and_one_that_left_them_leaves(world):
    old = train(world, "wave", "jump", settings={"members": BEFORE})
    parent = world.recipe("wave", "jump", members=BEFORE)
    new = train(world, "wave", "jump", parent=parent)
    assert {(row.member, row.category) for row in new} == {(m, c) for m in MEMBERS for c in ("wave", "jump")}
    assert [row for row in new if row.member != "small_frame"] == [row for row in old if row.member != "frame_resnet18"]


def test_a_member_that_left_the_settings_stays_where_its_successor_has_yet_to_learn(world):
    train(world, "wave", "jump", settings={"members": BEFORE})
    new = train(world, "wave", parent=world.recipe("wave", "jump", members=BEFORE))
    assert {row.member for row in new if row.category == "wave"} == set(MEMBERS)
    assert {row.member for row in new if row.category == "jump"} == set(BEFORE)


def test_a_second_run_does_nothing(world, monkeypatch, capsys):
    train(world, "wave", "jump")
    monkeypatch.setattr(bootstrap, "ByClips", lambda **_: pytest.fail("trained again"))
    train(world, "wave", "jump")
    assert "finished already" in capsys.readouterr().err


def test_one_that_was_cut_off_goes_on_with_the_member_that_has_not_learned_and_leaves_nothing(
    world, monkeypatch, capsys
):
    monkeypatch.setattr("slac_tasks.training.trainer.ENDED_AFTER_SEC", 0)
    whole = train(world, "wave", "jump")
    for name in list(world.store.names("committees/")):
        world.store.delete(name)
    before = ByClips.taught

    def cut_off(self, categories, newest):
        if self.name == MEMBERS[-1]:
            raise Temporary("the machine is taken away")
        return before(self, categories, newest)

    with monkeypatch.context() as patch:
        patch.setattr(ByClips, "taught", cut_off)
        with pytest.raises(Temporary):
            train(world, "wave", "jump")
    capsys.readouterr()
    assert train(world, "wave", "jump") == whole
    said = capsys.readouterr().err
    assert [f"{member}: goes on after step 3" in said for member in MEMBERS] == [True, True, False]
    assert not [name for name in world.store.names("") if "/unfinished/" in name]


def test_what_other_clips_taught_is_not_taken_up(world, monkeypatch, capsys):
    monkeypatch.setattr("slac_tasks.training.trainer.ENDED_AFTER_SEC", 0)

    def lost(self, dataset, *_, **__):
        raise Temporary("the store is out of reach")

    with monkeypatch.context() as patch:
        patch.setattr(Datasets, "write", lost)
        with pytest.raises(Temporary):
            train(world, "wave", "jump")
    gone = next(row.video_id for row in world.datasets.rows(CLIPS, category="wave", window=WINDOW))
    for name in list(world.store.names(f"media/{gone}/")):
        world.store.delete(name)
    train(world, "wave", "jump")
    assert "goes on after" not in capsys.readouterr().err


def test_more_clips_than_shall_teach_are_not_decoded(world, monkeypatch, capsys):
    taught = []
    monkeypatch.setattr(bootstrap, "gather", lambda chosen, *rest: taught.append(chosen) or gather(chosen, *rest))
    train(world, "wave", "jump", settings={"clips": 4})
    (chosen,) = taught
    assert len({clip.video_id for clip in chosen}) == 4
    assert "4 clips of 8 teach, as committee.clips says" in capsys.readouterr().err


def test_nothing_uncovered_is_no_work(world, capsys):
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee="c0000001"))
    assert "nothing uncovered" in capsys.readouterr().err
    assert world.datasets.manifest(COMMITTEES, committee="c0000001") is None


def test_testing_videos_teach_nothing(tmp_path):
    world = LearningWorld(tmp_path)
    world.add_category("wave", split="testing")
    with pytest.raises(NotMade, match="no training clips of wave"):
        train(world, "wave")


def test_a_category_without_training_clips_is_set_aside_with_its_reason(world):
    world.add_category("late", split="testing")
    rows = train(world, "wave", "late")
    assert {row.category for row in rows} == {"wave"}
    assert world.datasets.need(COMMITTEES, committee=world.recipe("wave", "late")).dropped == {"no training clips": 1}
