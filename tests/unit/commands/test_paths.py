"""A path that a person names and no file can have is refused by name, whatever a command does with it."""

from pathlib import Path

import pytest

from slac_tasks import cli
from slac_tasks.commands import doctor
from slac_tasks.storage.folder import FolderStore

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
