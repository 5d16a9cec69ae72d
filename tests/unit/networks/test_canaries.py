from pathlib import Path

import numpy as np
import pytest

from slac_tasks.errors import BrokenContract
from slac_tasks.model import View
from slac_tasks.networks.canaries import COUNT, canary, check, is_canary, known, remember
from slac_tasks.storage.objects import FolderStore

VIEW = View(8, 56)


def test_canaries_differ_from_each_other_and_are_the_same_every_time():
    pixels = [canary(index, [VIEW]).pixels[VIEW] for index in range(COUNT)]
    assert all(np.array_equal(pixels[index], canary(index, [VIEW]).pixels[VIEW]) for index in range(COUNT))
    assert np.abs(pixels[0].astype(int) - pixels[1]).mean() > 30
    assert all(is_canary(canary(index, [VIEW]).clips[0]) for index in range(COUNT))


def test_the_first_to_know_a_canary_stands(tmp_path: Path):
    store = FolderStore(tmp_path)
    assert known(store, "w") is None
    remember(store, "w", {"canary:0": [0.5]})
    remember(store, "w", {"canary:0": [0.9]})
    assert known(store, "w") == {"canary:0": [0.5]}


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
        check("w", "r3d_18", found, {"canary:0": [0.5, 0.1]})


def test_half_precision_passes():
    check("w", "r3d_18", {"canary:0": [0.51]}, {"canary:0": [0.5]})
