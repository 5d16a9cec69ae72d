"""Pretraining: killed at any step it ends with the same weights, and what is no number stops it by name."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import killed_training
import pytest
import torch
from learning_world import draw
from released import released

from slac_tasks.errors import BrokenContract
from slac_tasks.networks.registry import Classifier, Rates, architecture
from slac_tasks.storage.checkpoints import Checkpoints
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.objects import Media
from slac_tasks.training import pretraining
from slac_tasks.training.index import COLUMNS, temporary_index
from slac_tasks.training.learner import Learner, Plan
from slac_tasks.training.pretraining import Learned, Work, pretrain
from slac_tasks.training.trainer import seeded
from slac_tasks.video.lost import MISSING, Lost
from slac_tasks.video.pieces import UNDECODABLE

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
PLAN = Plan(steps=8, batch=2, rates=Rates(fresh=8e-3), checkpoint_steps=1)


class Killed(BaseException):
    """Nothing catches it."""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    made = FolderStore(tmp_path / "store")
    for number, video in enumerate("ab"):
        draw(tmp_path / "drawn.mp4", colour=(200, 90 * number, 40), speed=1 + number)
        made.put_file(f"media/{video * 16}/128.mp4", tmp_path / "drawn.mp4")
    return made


def learn(
    store: FolderStore, run: str, kill: int | None = None, plan: Plan = PLAN, category: str | None = None
) -> list[torch.Tensor]:
    rows = [released(video * 16, float(at), label=1 if at % 2 else -1) for video in "ab" for at in range(3)]
    rows = rows if category is None else [replace(row, category=category) for row in rows]
    tables = [RELEASES.table(rows).select(list(COLUMNS))]
    index = temporary_index(tables, split="training", small=True, withdrawn=lambda *_: False)
    with seeded(0):
        classifier = Classifier(architecture("small_motion"), 1)
    media = Media(store.url, {})
    keeps = Checkpoints(media, f"models/{run}/unfinished", "ab12")
    before = Learner.step

    def step(self: Learner, pixels: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.step_number == kill:
            raise Killed
        return before(self, pixels, targets)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "step", step)
        learned = pretrain(classifier, Work(index=index, media=media, keeps=keeps), plan, CPU)
    assert learned.losses
    return [tensor.clone() for tensor in classifier.state_dict().values()]


def test_killed_at_ten_random_steps_it_ends_with_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    program = Path(killed_training.__file__)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(program.parent), *sys.path])}
    done = subprocess.run([sys.executable, program, tmp_path], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(": the same to the bit\n"), done.stdout
    assert done.stderr.count("goes on after step") >= 8  # the first kills may come before the first checkpoint


def test_a_checkpoint_that_was_altered_is_not_taken(store: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    whole = learn(store, "whole")
    with pytest.raises(Killed):
        learn(store, "killed", 5)
    steps = Checkpoints(Media(store.url, {}), "models/killed/unfinished", "ab12").steps()
    assert steps == [4, 5]
    store.put("models/killed/unfinished/checkpoint-00000005.ab12/state.pt", b"half")
    assert all(map(torch.equal, whole, learn(store, "killed")))
    assert "goes on after step 4" in capsys.readouterr().err


@pytest.mark.parametrize("steps", [1, 5, 6, 8])
def test_a_run_goes_on_although_withdrawals_have_left_fewer_steps_than_it_has_had(
    store: FolderStore, capsys: pytest.CaptureFixture[str], steps: int
) -> None:
    with pytest.raises(Killed):
        learn(store, "killed", 5)
    learn(store, "killed", plan=replace(PLAN, steps=steps))
    assert "goes on after step 5" in capsys.readouterr().err


def test_a_checkpoint_of_other_categories_is_not_taken(store: FolderStore, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Killed):
        learn(store, "killed", 5)
    assert all(map(torch.equal, learn(store, "killed", category="another"), learn(store, "whole", category="another")))
    assert "begins anew" in capsys.readouterr().err


def test_a_loss_that_is_no_number_names_the_step_and_its_clips(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Learner._part
    monkeypatch.setattr(Learner, "_part", lambda self, *given: before(self, *given) * float("nan"))
    with pytest.raises(BrokenContract, match=r"step 1: loss nan.*clips [ab]{16}:"):
        learn(store, "nan")


def test_no_readable_clip_is_refused(store: FolderStore) -> None:
    for name in list(store.names("media/")):
        store.put(name, b"no video")
    with pytest.raises(BrokenContract, match="6 training clips, none readable"):
        learn(store, "none")


def test_a_run_that_goes_on_knows_what_it_lost_before(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.delete(f"media/{'b' * 16}/128.mp4")
    learned: list[Learned] = []

    def noted(*given: Any) -> Learned:
        learned.append(pretraining.pretrain(*given))
        return learned[-1]

    monkeypatch.setattr(sys.modules[__name__], "pretrain", noted)
    with pytest.raises(Killed):
        learn(store, "killed", 7)
    learn(store, "killed")
    assert {clip_id[0]: lost.reason for clip_id, lost in learned[0].lost.items()} == {"b": MISSING}


def test_a_checkpoint_of_the_version_before_says_why_a_clip_is_lost() -> None:
    assert pretraining._lost("no video") == Lost(UNDECODABLE, "no video")
    assert pretraining._lost(("decoder died", "twice")) == Lost("decoder died", "twice")
