"""The rival of localization learns from however many videos there are."""

import numpy as np
import pytest
import torch

from bench.harness.actionformer import Recipe, spot, train
from slac_tasks.localization.features import Clock, Dense
from slac_tasks.localization.labels import Lesson

CLOCK = Clock(fps=24, frames=96)
CPU = torch.device("cpu")


def lesson(number: int) -> Lesson:
    values = np.random.default_rng(number).normal(0, 1, (CLOCK.count, 4)).astype(np.float32)
    return Lesson(dense=Dense(name=str(number), clock=CLOCK, values=values), spans=((0, 1.0, 3.0),))


@pytest.mark.parametrize("videos", [1, 3, 4])
def test_the_recipe_learns_from_any_number_of_videos(videos: int) -> None:
    lessons = [lesson(number) for number in range(videos)]
    network = train(lessons, 1, Recipe(width=8, epochs=2, warmup_epochs=1), CPU)
    assert not network.training
    assert all(parameter.isfinite().all() for parameter in network.parameters())
    assert len(spot(network, lessons[0]).score)
