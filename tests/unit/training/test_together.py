"""Ranks of one machine: the failure of the one that fails first is that of all, and none stays behind."""

import multiprocessing
from pathlib import Path

import pytest
import torch
from failing_media import MediaOfAFailingRank
from learning_world import draw
from released import released

from slac_tasks.errors import NotConfigured, SlacError, Temporary
from slac_tasks.networks.registry import Classifier, Rates, architecture
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.objects import Media
from slac_tasks.training.index import COLUMNS, temporary_index
from slac_tasks.training.learner import Plan
from slac_tasks.training.pretraining import Work
from slac_tasks.training.ranks import Ranks
from slac_tasks.training.together import pretrain_together, processes


def train(folder: Path, rank: int, why: str) -> None:
    store = FolderStore(folder / "store")
    for video in "ab":
        draw(folder / "drawn.mp4", colour=(200, 90, 40), speed=2, seconds=3)
        store.put_file(f"media/{video * 16}/128.mp4", folder / "drawn.mp4")
    rows = [released(video * 16, float(at), label=1 if at % 2 else -1) for video in "ab" for at in range(2)]
    tables = [RELEASES.table(rows).select(list(COLUMNS))]
    index = temporary_index(tables, split="training", small=True, withdrawn=lambda *_: False)
    media = MediaOfAFailingRank(Media(store.url, {}), rank, why)
    work = Work(index=index, media=media, keeps=None)
    classifier = Classifier(architecture("small_motion"), len(index.categories))
    pretrain_together(classifier, work, Plan(steps=2, batch=4, rates=Rates()), "cpu", world=2, folder=folder)


@pytest.mark.parametrize(
    ("rank", "why", "failure", "message"),
    [
        (1, "killed", Temporary, "rank 1 of pretraining: ended with -9"),
        (0, "refused", NotConfigured, "128.mp4: refused"),
    ],
)
def test_a_rank_that_fails_ends_all_with_its_failure(
    tmp_path: Path, rank: int, why: str, failure: type[SlacError], message: str
) -> None:
    with pytest.raises(failure, match=message):
        train(tmp_path, rank, why)
    assert multiprocessing.active_children() == []


def test_ranks_are_those_of_torchrun() -> None:
    assert Ranks.of({}) == Ranks()
    assert [Ranks(rank=rank, world=2).first for rank in range(2)] == [True, False]
    known = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    assert Ranks.of(known) == Ranks(rank=5, world=8, local=1, local_world=4)
    # What sets the others need not know of machines: all ranks are then on one.
    assert Ranks.of({"RANK": "1", "WORLD_SIZE": "2"}) == Ranks(rank=1, world=2, local=1, local_world=2)
    with pytest.raises(NotConfigured, match="RANK is '5': KeyError 'WORLD_SIZE'"):
        Ranks.of({"RANK": "5"})
    with pytest.raises(NotConfigured, match="RANK is 'first': ValueError"):
        Ranks.of({"RANK": "first", "WORLD_SIZE": "2"})


def test_processes_are_one_for_each_card() -> None:
    assert processes(0, torch.device("cpu")) == 1
    assert processes(3, torch.device("cpu")) == 3
