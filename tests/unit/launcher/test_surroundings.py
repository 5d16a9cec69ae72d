"""A shell in which nothing is set works with the demo that runs, and only there."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from slac_tasks import cli, config
from slac_tasks.commands.env import without_password
from slac_tasks.launcher import surroundings
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.launcher.state import Demo
from slac_tasks.launcher.subjects import GeneratedWorld


@pytest.fixture(autouse=True)
def _nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLAC_HOME", str(tmp_path / "home"))
    for name in config.CHOSEN:
        monkeypatch.setenv(name, "")  # so that what the command sets is taken back
        monkeypatch.delenv(name)


def started(postgres: EmbeddedPostgres, size: str = "demo") -> Demo:
    """A demo whose database is the server of the tests."""
    demo = Demo(subject=GeneratedWorld(size=size))
    demo.write()
    demo.write_config()
    (demo.home / "store").mkdir()
    demo.postgres.folder.mkdir()
    shutil.copy(postgres.folder / "server.json", demo.postgres.folder)
    return demo


def test_a_command_works_with_the_demo_that_runs(
    postgres: EmbeddedPostgres, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = started(postgres)
    assert cli.main(["config"]) == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [f"slac config: works with the demo in {demo.home}"]
    assert str(demo.home / "store") in printed.out


def test_what_is_set_is_never_mixed_with_a_demo(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started(postgres)
    monkeypatch.setenv("SLAC_DATABASE_URL", "")
    assert cli.main(["show"]) == 78
    assert capsys.readouterr().err == "slac show: SLAC_STORE: not set, want a folder or s3://bucket/prefix\n"


def test_a_stage_that_opens_media_is_not_given_the_password(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(postgres)
    words = ["propose", "--category", "judo", "--window", "2026-01-05"]
    seen: list[set[str]] = []
    monkeypatch.setattr(cli, "_job", lambda *_: seen.append(set(config.CHOSEN) & set(cli.os.environ)) or 0)
    assert cli.main(words) == 0
    assert seen == [{"SLAC_STORE", "SLAC_CONFIG"}]


def test_a_demo_that_is_stopped_gives_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Demo().write()
    assert cli.main(["show"]) == 78
    assert cli.main(["env"]) == 78
    assert "slac env: demo: none runs in" in capsys.readouterr().err


def test_of_several_demos_none_is_taken_by_chance(
    postgres: EmbeddedPostgres, capsys: pytest.CaptureFixture[str]
) -> None:
    homes = [str(started(postgres, size).home) for size in ("demo", "quick")]
    assert cli.main(["show"]) == 78
    said = capsys.readouterr().err
    assert "several demos run" in said
    assert all(home in said for home in homes)


def test_env_prints_what_a_shell_can_read(postgres: EmbeddedPostgres, capsys: pytest.CaptureFixture[str]) -> None:
    demo = started(postgres)
    assert cli.main(["env"]) == 0
    lines = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert {word for word, _ in lines} == {"export"}
    found = dict(setting.split("=", 1) for _, setting in lines)
    assert found == surroundings.variables(demo)
    assert cli.main(["env", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_a_terminal_is_not_shown_the_password(
    postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = started(postgres)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert cli.main(["env"]) == 0
    password = json.loads((demo.postgres.folder / "server.json").read_text())["password"]
    assert password not in capsys.readouterr().out
    assert without_password("postgresql://slac:a-b_c@127.0.0.1:1/slac") == "postgresql://slac:***@127.0.0.1:1/slac"
