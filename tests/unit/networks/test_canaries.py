from pathlib import Path

import numpy as np
import pytest
import torch

from slac_tasks.errors import BrokenContract
from slac_tasks.model import View
from slac_tasks.networks.canaries import COUNT, Guard, canary, compare, is_canary
from slac_tasks.networks.farneback import motions
from slac_tasks.networks.flow import by_opencv, grey
from slac_tasks.storage.folder import FolderStore

VIEW = View(8, 56)


def test_canaries_differ_from_each_other_and_are_the_same_every_time():
    pixels = [canary(index, [VIEW]).pixels[VIEW] for index in range(COUNT)]
    assert all(np.array_equal(pixels[index], canary(index, [VIEW]).pixels[VIEW]) for index in range(COUNT))
    assert np.abs(pixels[0].astype(int) - pixels[1]).mean() > 30
    assert all(is_canary(canary(index, [VIEW]).clips[0]) for index in range(COUNT))


def test_the_flow_of_canaries_does_not_hang_on_who_computes_it():
    view = View(16, 112)
    clips = torch.from_numpy(np.concatenate([canary(index, [view]).pixels[view] for index in range(COUNT)]))
    seen = grey(clips).transpose(0, 1)
    assert (motions(seen) - by_opencv(seen)).abs().max() < 0.01


def test_the_first_scores_of_weights_are_what_later_ones_are_compared_with(tmp_path: Path):
    store = FolderStore(tmp_path)
    Guard(store).check("w", "r3d_18", {"canary:0": [0.51]}, lambda: {"canary:0": [0.5]})
    later = Guard(store)
    later.check("w", "r3d_18", {"canary:0": [0.52]}, lambda: pytest.fail("is known"))
    with pytest.raises(BrokenContract, match=r"0\.400 from what is known"):
        later.check("w", "r3d_18", {"canary:0": [0.9]}, lambda: pytest.fail("is known"))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({}, "came back without a score"),
        ({"canary:0": [0.6, 0.1]}, "0.100 from what is known"),
        ({"canary:0": [float("nan"), 0.1]}, "nan from what is known"),
    ],
)
def test_a_canary_that_is_lost_or_changed_stops_the_run(found, reason):
    with pytest.raises(BrokenContract, match=reason):
        compare("w", "r3d_18", found, {"canary:0": [0.5, 0.1]})


def test_half_precision_passes():
    compare("w", "r3d_18", {"canary:0": [0.51]}, {"canary:0": [0.5]})
