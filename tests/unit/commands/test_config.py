"""`slac config` as a person meets it: what is in force, where it came from, and never a secret."""

import tomllib
from pathlib import Path

import pytest

from slac_tasks import cli, config

SECRETS = ("SLAC_DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "SLAC_WEB_SECRET", "SLAC_DATABASE_URL_LABEL_STUDIO")


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("SLAC_CONFIG", raising=False)


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["config", *words]) == 0
    return capsys.readouterr().out


def test_what_is_in_force_is_shown_with_its_origin_and_can_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "slac.toml"
    file.write_text('[mining]\nclips_per_round = 7\n[collect]\nsources = ["/videos # 1"]\n')
    monkeypatch.setenv("SLAC_CONFIG", str(file))
    text = shown(capsys)
    lines = {line.partition(" = ")[0]: line for line in text.splitlines()}
    assert lines["store_url"].endswith("# SLAC_STORE")
    assert lines["clips_per_round"].startswith("clips_per_round = 7 ")
    assert lines["clips_per_round"].endswith(f"# {file}")
    assert lines["minutes_per_round"].endswith("# default")
    before = config.load()
    file.write_text(text)
    assert config.load() == before


def test_the_template_is_a_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLAC_STORE")
    file = tmp_path / "slac.toml"
    file.write_text(shown(capsys, "--template"))
    assert config.load({"SLAC_STORE": "/store", "SLAC_CONFIG": str(file)}) == config.Config(store_url="/store")


def test_secrets_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "postgresql://slac:hidden-word@host/slac")
    file = tmp_path / "slac.toml"
    file.write_text('[collect]\nsources = ["yt-dlp:https://me:hidden-word@videos.example/feed?q={query}"]\n')
    monkeypatch.setenv("SLAC_CONFIG", str(file))
    text = shown(capsys)
    assert "hidden-word" not in text
    assert tomllib.loads(text)["collect"]["sources"] == ["yt-dlp:https://***@videos.example/feed?q={query}"]


@pytest.mark.parametrize("data", [b"[collect", "quelle = 'Zürich'".encode("latin-1"), None])
def test_a_file_that_cannot_be_read_is_78(
    data: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "slac.toml"
    if data is not None:
        file.write_bytes(data)
    monkeypatch.setenv("SLAC_CONFIG", str(file))
    assert cli.main(["config"]) == 78
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(file) in said
