from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from slac_tasks.storage.checkpoints import Checkpoints
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.objects import Media
from slac_tasks.training import keeping


@pytest.fixture
def keeps(store: FolderStore) -> Checkpoints:
    return Checkpoints(Media(store.url, {}), "models/unfinished", "ab12")


def test_a_state_comes_back_as_it_was(keeps: Checkpoints) -> None:
    keeping.keep(keeps, 3, {"weights": [torch.arange(3.0)], "why": ("a", None)})
    ((step, data),) = keeps.newest()
    state = keeping.decoded(data)
    assert (step, state["weights"][0].tolist(), state["why"]) == (3, [0.0, 1.0, 2.0], ("a", None))


def test_a_state_that_the_disk_cannot_hold_is_known_as_that(
    keeps: Checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state.pt").symlink_to("/dev/full")
    monkeypatch.setattr(keeping, "Scratch", lambda: nullcontext(tmp_path))
    with pytest.raises(OSError, match="No space left"):
        keeping.keep(keeps, 3, {"weights": torch.arange(3.0)})
