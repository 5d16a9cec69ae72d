"""A path that a person names and no file can have is refused by name, whatever a command does with it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from slac_tasks import cli, toml
from slac_tasks.annotations.rows import Row
from slac_tasks.collect.downloads.scratch import alone
from slac_tasks.collect.settings import Fetch
from slac_tasks.commands import doctor
from slac_tasks.errors import NotConfigured
from slac_tasks.given import flags
from slac_tasks.launcher.state import root
from slac_tasks.networks.attentive_folder import entry_of_folder
from slac_tasks.networks.faster_rcnn import FasterRcnn
from slac_tasks.networks.image_text import check_folder
from slac_tasks.networks.pose import Pose
from slac_tasks.networks.registry import architecture
from slac_tasks.networks.settings import Scoring
from slac_tasks.networks.starting import starting_backbone
from slac_tasks.storage.folder import FolderStore
from slac_tasks.verification.imported_labels import locator

LONG = "n" * 300
"""No file system takes it: even to ask for it fails."""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["localize", "a.mp4", "--model", LONG], 64),
        (["world", "card", LONG], 78),
        (["world", "card", "nowhere"], 78),
        (["world", "make", LONG], 64),
        (["world", "measure", LONG], 78),
    ],
)
def test_a_path_that_is_too_long_is_named(
    store: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
) -> None:
    monkeypatch.setenv("SLAC_STORE", store.url)
    assert cli.main(words) == code
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1, said


@pytest.mark.parametrize("setting", ["collect]\nsources = [{}]", "proposal]\npeople = 'pose'\npeople_weights = {}"])
def test_a_setting_that_names_no_file_is_missing_to_the_doctor(
    store: FolderStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    setting: str,
) -> None:
    (tmp_path / "slac.toml").write_text("[" + setting.format(f"'{LONG}'"))
    monkeypatch.setenv("SLAC_STORE", store.url)
    monkeypatch.setenv("SLAC_CONFIG", str(tmp_path / "slac.toml"))
    monkeypatch.setattr(doctor, "CHECKS", {name: doctor.CHECKS[name] for name in ("settings", "networks")})
    assert cli.main(["doctor"]) == 78
    assert LONG in capsys.readouterr().out


@pytest.mark.parametrize(
    "read",
    [
        lambda path: FasterRcnn.load("fasterrcnn_mobilenet_v3_large_fpn", path, "cpu"),
        Pose.load,
        check_folder,
        entry_of_folder,
        lambda path: starting_backbone(architecture("small_motion"), path),
    ],
    ids=["people_weights", "people_weights of pose", "image_text", "start", "pretrained"],
)
def test_a_setting_that_names_weights_may_begin_with_the_home(
    read: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(NotConfigured, match=f"{tmp_path}/weights"):
        read("~/weights")


def test_every_other_path_may_begin_with_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "slac.toml").write_text("device = 'cpu'")
    assert toml.read("~/slac.toml") == {"device": "cpu"}
    assert flags.path("~/a b") == tmp_path / "a b"
    assert root({"SLAC_HOME": "~/demos"}) == (tmp_path / "demos").resolve()
    assert Scoring(cache="~/cache").cache_folder == tmp_path / "cache"
    with alone(Fetch(scratch="~/scratch"), "0" * 16, "a test"):
        assert (tmp_path / "scratch").is_dir()
    assert locator("~/{id}.mp4")(Row(place="line 1", video="a")) == f"{tmp_path}/a.mp4"
