"""The loop under a real Airflow, once undisturbed and once with SIGKILL in the middle: the same labels and release.

Takes several minutes, so it runs in CI, and elsewhere with SLAC_ACCEPTANCE=1.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slac_tasks.launcher.state import PROJECT
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import newest_labels, read_labels

pytestmark = [
    pytest.mark.skipif(
        not (os.environ.get("CI") or os.environ.get("SLAC_ACCEPTANCE")),
        reason="takes minutes: set SLAC_ACCEPTANCE=1 to run the demo twice",
    ),
    pytest.mark.timeout(2100),
]


PORTS = {"calm": "28981", "killed": "28982"}
"""Below the range from which the system hands out ports."""


def slac(home: Path, *words: str) -> "subprocess.Popen[str]":
    environ = os.environ | {"SLAC_HOME": str(home)}
    command = [sys.executable, "-m", "slac_tasks.cli", *words]
    return subprocess.Popen(
        command, env=environ, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def start(home: Path) -> "subprocess.Popen[str]":
    """Start the smallest demo, on a port of its own: two that start at once would both find the usual one free."""
    return slac(home, "demo", "--size", "quick", "--port", PORTS[home.parent.name.rstrip("0123456789")])


def demo(home: Path) -> tuple[int, str]:
    """Run the smallest demo to its end."""
    process = start(home)
    text, _ = process.communicate(timeout=1800)
    return process.returncode, text


def stage_of(home: Path, stage: str) -> int | None:
    """Return the process id of a running stage of this demo."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            environ = (folder / "environ").read_bytes()
        except OSError:
            continue
        of_a_window = any(word.startswith(b"--window=") for word in words)
        if stage.encode() in words[1:4] and of_a_window and str(home).encode() in environ:
            return int(folder.name)
    return None


def disturbed(home: Path) -> tuple[int, str]:
    """Kill the scheduler and a running stage, then start again."""
    process = start(home)
    deadline = time.monotonic() + 600
    while (stage := stage_of(home, "bootstrap")) is None:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no bootstrap in ten minutes"
        time.sleep(0.2)
    scheduler = int((home / "quick" / "logs" / "scheduler.pid").read_text().split()[0])
    os.kill(scheduler, signal.SIGKILL)
    os.kill(stage, signal.SIGKILL)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 75, text
    assert "scheduler has ended" in text
    return demo(home)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Path, int, str]]]:
    homes = {name: tmp_path_factory.mktemp(name) / "home" for name in ("calm", "killed")}
    try:
        with ThreadPoolExecutor() as pool:
            both = {"calm": pool.submit(demo, homes["calm"]), "killed": pool.submit(disturbed, homes["killed"])}
            yield {name: (homes[name], *both[name].result()) for name in homes}
    finally:
        for home in homes.values():
            slac(home, "down", "--remove").communicate(timeout=180)
            shutil.rmtree(home, ignore_errors=True)


def labels(home: Path) -> list[tuple[object, ...]]:
    """Return what people decided, without when."""
    datasets = Datasets(open_store(str(home / "quick" / "store"), {}))
    newest = newest_labels(datasets)
    assert newest is not None
    rows = read_labels(datasets, newest).to_pylist()
    return sorted((row["clip_id"], row["category"], row["status"], row["label"]) for row in rows)


def exports(home: Path) -> dict[str, str]:
    """Return the HACS files of every release."""
    folder = home / "quick" / "store" / "release"
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.csv"))}


@pytest.mark.parametrize("name", ["calm", "killed"])
def test_the_loop_closes(runs: dict[str, tuple[Path, int, str]], name: str) -> None:
    _, code, text = runs[name]
    assert code == 0, text
    assert "verified" in text
    assert "backfill" in text
    assert " manual " not in text


def test_a_kill_changes_no_label_and_no_release(runs: dict[str, tuple[Path, int, str]]) -> None:
    calm, killed = runs["calm"][0], runs["killed"][0]
    assert labels(calm)
    assert labels(calm) == labels(killed)
    assert exports(calm)
    assert exports(calm) == exports(killed)


def test_a_second_demo_finds_everything_finished(runs: dict[str, tuple[Path, int, str]]) -> None:
    code, text = demo(runs["calm"][0])
    assert code == 0, text
    assert "everything finished already" in text
