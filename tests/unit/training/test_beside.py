import os
import signal
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from slac_tasks.errors import BrokenContract, Temporary
from slac_tasks.networks.registry import REGISTRY, Classifier, architecture
from slac_tasks.training.beside import beside, processes
from slac_tasks.training.trainer import Recipe, class_loss, fit, seeded
from slac_tasks.video.frames import Pixels

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Course:
    pixels: Pixels

    def learned(self, seed: int) -> tuple[float, list[float]]:
        """Return the number of the clips, and the first weights after two steps."""
        torch.set_num_threads(1)
        with seeded(seed):
            classifier = Classifier(architecture("small_frame"), 2)
        targets = torch.arange(len(self.pixels)) % 2
        fit(classifier, self.pixels, targets, class_loss, Recipe(steps=2, batch=2, seed=seed), CPU, "test")
        return float(self.pixels.sum()), classifier.head.weight[0, :4].tolist()

    def killed(self, seed: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def refused(self, seed: int) -> None:
        raise BrokenContract(f"course {seed}: 3 clips, want 4")


def course() -> Course:
    """More pixels than travel in a pipe."""
    return Course(np.random.default_rng(0).integers(0, 255, (20, 8, 56, 56, 3), dtype=np.uint8))


def learned(task: tuple[Course, int]) -> tuple[float, list[float]]:
    one, seed = task
    return one.learned(seed)


def test_processes_give_what_one_gives_in_the_same_order_however_arrays_lie_in_memory():
    pixels = course().pixels
    arrays = [pixels, np.asfortranarray(255 - pixels), pixels[1:, :, ::-1]]
    tasks = [(Course(array), seed) for array, seed in zip(arrays, (2, 0, 1), strict=True)]
    assert beside(learned, tasks, 2) == beside(learned, tasks, 1)


def test_a_failure_keeps_its_kind_and_its_words():
    with pytest.raises(BrokenContract, match=r"course [01]: 3 clips, want 4"):
        beside(course().refused, [0, 1], 2)


def test_a_process_that_is_killed_is_a_failure_that_passes():
    with pytest.raises(Temporary, match="of training: ended with -9"):
        beside(course().killed, [0, 1], 2)


def test_only_long_trainings_on_processors_are_worth_a_process(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert processes(6, clips=100_000, where=CPU) == 4
    assert processes(2, clips=100_000, where=CPU) == 2
    assert processes(6, clips=100, where=CPU) == 1
    assert processes(6, clips=100_000, where=torch.device("cuda")) == 1


@pytest.mark.parametrize("name", REGISTRY)
def test_an_entry_travels_as_its_name(name):
    entry = architecture(name)
    rebuild, arguments = entry.__reduce__()
    assert rebuild(*arguments) is entry
