"""The command line as a person meets it: exit codes, one clear line, nothing half-written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from slac_tasks import cli, config


def slac(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLAC_", "AWS_"))}
    command = [sys.executable, "-m", "slac_tasks.cli", *words]
    return subprocess.run(command, env=clean | environ, capture_output=True, text=True, timeout=120)


def test_help_lists_every_verb() -> None:
    shown = slac("--help")
    assert shown.returncode == 0
    for verb in [*config.STAGES, *cli.COMMANDS]:
        assert re.search(rf"^    {verb}\s", shown.stdout, re.M), verb


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("dance",),
        ("discover",),
        ("discover", "--category", "judo"),
        ("discover", "--category", "judo", "--window", "2026-01-06"),
        ("discover", "--category", "Judo!", "--window", "2026-01-05"),
        ("mine", "--category", "judo", "--round", "2026-01-05"),
        ("plan", "--for", "dance"),
    ],
)
def test_what_cannot_be_asked_is_64(tmp_path: Path, words: tuple[str, ...]) -> None:
    asked = slac(*words, SLAC_STORE=str(tmp_path / "store"))
    assert asked.returncode == 64, asked.stderr
    assert asked.stderr.strip().splitlines()[-1].startswith("slac")
    assert "Traceback" not in asked.stderr


@pytest.mark.parametrize("address", ["", "ftp://host/store", "s3://bucket/x", "/proc/nowhere/store"])
def test_a_wrong_store_is_78(address: str) -> None:
    asked = slac("aggregate", SLAC_STORE=address)
    assert asked.returncode == 78, asked.stderr
    assert len(asked.stderr.strip().splitlines()) == 1


def test_a_database_that_is_down_is_75(tmp_path: Path) -> None:
    url = "postgresql://slac:hidden-word@127.0.0.1:1/slac"
    asked = slac("plan", "--for", "collect_videos", SLAC_STORE=str(tmp_path / "store"), SLAC_DATABASE_URL=url)
    assert asked.returncode == 75, asked.stderr
    assert "hidden-word" not in asked.stderr
    assert len(asked.stderr.strip().splitlines()) == 1


def test_a_database_without_address_is_78(tmp_path: Path) -> None:
    asked = slac("plan", "--for", "collect_videos", SLAC_STORE=str(tmp_path / "store"))
    assert asked.returncode == 78, asked.stderr


def test_a_dataset_that_is_missing_is_65_and_nothing_is_written(tmp_path: Path) -> None:
    store = tmp_path / "store"
    asked = slac("propose", "--category", "judo", "--window", "2026-01-05", SLAC_STORE=str(store))
    assert asked.returncode == 65, asked.stderr
    assert "not made yet" in asked.stderr.strip().splitlines()[-1]
    assert not [path for path in store.rglob("*") if path.is_file()]
