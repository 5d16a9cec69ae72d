"""The command line as a person meets it: exit codes, one clear line, nothing half-written."""

import builtins
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slac_tasks import cli
from slac_tasks.commands import show
from slac_tasks.procedure import STAGES


def slac(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLAC_", "AWS_"))}
    command = [sys.executable, "-m", "slac_tasks.cli", *words]
    return subprocess.run(command, env=clean | environ, capture_output=True, text=True, timeout=120)


OS_ERRORS = {kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, OSError)}


def test_help_lists_every_verb() -> None:
    shown = slac("--help")
    assert shown.returncode == 0
    for verb in [*STAGES, *cli.COMMANDS]:
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


ENDS = """
import sys
from slac_tasks import cli
from slac_tasks.commands import show
def main(arguments):
    {body}
show.main = main
sys.exit(cli.main(["show", "candidates"]))
"""


def ends(body: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """A real process in which `slac show` does what `body` says."""
    return subprocess.run([sys.executable, "-c", ENDS.format(body=body)], text=True, timeout=60, **how)


@pytest.mark.parametrize("kind", sorted(OS_ERRORS, key=str), ids=lambda kind: kind.__name__)
def test_an_unexpected_failure_of_the_system_is_a_bug_with_its_traceback(
    kind: type[OSError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise kind("somewhere else")

    monkeypatch.setattr(show, "main", fail)
    assert cli.main(["show", "candidates"]) == 1
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.strip().splitlines()[-1] == "slac show: a bug, please report the lines above"


@pytest.mark.parametrize("body", ["print('line\\n' * 100_000)", "print('one line, which fits the buffer')",
                                  "print('line', file=sys.stderr, flush=True)"])  # fmt: skip
def test_a_reader_that_has_seen_enough_ends_it_quietly(body: str) -> None:
    read, write = os.pipe()
    os.close(read)
    stream = "stderr" if "stderr" in body else "stdout"
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    ended = ends(body, **{stream: write, other: subprocess.PIPE})
    os.close(write)
    assert ended.returncode == 141
    assert (ended.stdout or "") + (ended.stderr or "") == ""


@pytest.mark.parametrize("words", [("--help",), ("show", "--help")])
def test_the_help_may_be_cut_off(words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run([sys.executable, "-m", "slac_tasks.cli", *words], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert ended.returncode in (0, 141)  # argparse forgives a pipe that breaks while it writes
    assert ended.stderr == b""


def test_a_full_disk_is_75(tmp_path: Path) -> None:
    ended = ends("raise OSError(28, 'No space left on device', '/data')", capture_output=True)
    assert ended.returncode == 75
    assert ended.stderr == "slac show: disk is full while writing /data\n"


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
