"""A program: trains a tiny network whole, and once more in processes that are killed at random steps; prints a line.

It imports torch once and forks a process for each run, so that ten kills cost seconds.
"""

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from learning_world import draw
from released import released

from slac_tasks.networks.registry import Classifier, Rates, architecture
from slac_tasks.storage.checkpoints import Checkpoints
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.objects import Media
from slac_tasks.training.index import COLUMNS, temporary_index
from slac_tasks.training.learner import Learner, Plan
from slac_tasks.training.pretraining import Work, pretrain
from slac_tasks.training.trainer import seeded

STEPS, KILLS = 30, 10
PLAN = Plan(steps=STEPS, batch=2, rates=Rates(fresh=8e-3), checkpoint_steps=2)


def learn(store: FolderStore, run: str, begun: Callable[[int], object] = lambda step: None) -> dict[str, torch.Tensor]:
    rows = [released(video * 16, float(at), label=1 if at % 2 else -1) for video in "ab" for at in range(3)]
    tables = [RELEASES.table(rows).select(list(COLUMNS))]
    index = temporary_index(tables, split="training", small=True, withdrawn=lambda *_: False)
    with seeded(0):
        classifier = Classifier(architecture("small_motion"), 1)
    media = Media(store.url, {})
    before = Learner.step

    def step(self: Learner, *batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        begun(self.step_number)
        return before(self, *batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Learner, "step", step)
        keeps = Checkpoints(media, f"models/{run}/unfinished", "ab12")
        pretrain(classifier, Work(index=index, media=media, keeps=keeps), PLAN, torch.device("cpu"))
    return classifier.state_dict()


def killed(store: FolderStore, at: int, delay: float) -> None:
    """Train in another process, and kill it a moment after the step `at` has begun."""
    reads, writes = os.pipe()
    process = os.fork()
    if not process:
        learn(store, "killed", lambda step: os.write(writes, bytes([step])))
        os._exit(0)
    os.close(writes)
    while at not in (seen := os.read(reads, 1)):
        assert seen, f"step {at}: the process ended before it"
    signal.sigtimedwait([], delay)
    os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    os.close(reads)
    assert os.WIFSIGNALED(status), f"step {at}: the process ended by itself"


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    store = FolderStore(folder / "store")
    for number, video in enumerate("ab"):
        draw(folder / "drawn.mp4", colour=(200, 90 * number, 40), speed=1 + number)
        store.put_file(f"media/{video * 16}/128.mp4", folder / "drawn.mp4")
    whole = learn(store, "whole")  # before the forks: what torch imports at the first step is then in each of them
    chance = random.Random(0)
    steps = sorted(chance.sample(range(STEPS - 1), KILLS))
    for at in steps:
        killed(store, at, chance.random() * 0.05)
    found = learn(store, "killed")
    same = all(torch.equal(found[name], whole[name]) for name in whole)
    print(f"killed at steps {steps}: {'the same to the bit' if same else 'others'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
