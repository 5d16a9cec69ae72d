"""The `slac` of the images starts processes of its own: pages with two workers, scoring with one that decodes.

Such processes import the script again. What the script does outside its main guard, each of them does as well.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from learning_world import WINDOW, LearningWorld

from slac_tasks.stages import bootstrap
from slac_tasks.storage.datasets import SCORES

ROOT = Path(__file__).resolve().parents[2]


def written(image: str, python: str) -> bytes:
    """Return the script of an image, made by the very command of its Dockerfile, for the interpreter `python`."""
    text = (ROOT / "docker" / f"{image}.Dockerfile").read_text()
    found = re.search(r"(printf '#!.*?') \S+/bin/python > \S+/bin/slac ", text)
    assert found, "want a printf that writes bin/slac"
    return subprocess.run(["bash", "-c", f"{found[1]} {python}"], capture_output=True, check=True).stdout


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "slac"
    path.write_bytes(written("task", sys.executable))
    path.chmod(0o755)
    return path


def test_both_images_have_the_same_script() -> None:
    assert written("task", "python") == written("airflow", "python")


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "SLAC_STORE": str(tmp_path / "store"), **more}


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def test_it_serves_the_pages_with_two_workers(script: Path, tmp_path: Path, ledger_url: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = environ(tmp_path, SLAC_DATABASE_URL=ledger_url, SLAC_WEB_SECRET="s" * 32)
    words = [script, "web", "--port", str(port), "--workers", "2"]
    with (tmp_path / "log").open("w+b") as log:
        server = subprocess.Popen(words, env=given, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + 120
            while not answers(f"http://127.0.0.1:{port}/health") and time.monotonic() < deadline:
                assert server.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.2)
            assert answers(f"http://127.0.0.1:{port}/health"), (tmp_path / "log").read_text()
            assert "bootstrapping phase" not in (tmp_path / "log").read_text()
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def test_it_scores_with_a_process_that_decodes(script: Path, tmp_path: Path) -> None:
    world = LearningWorld(tmp_path)
    world.add_category("wave")
    bootstrap.run(world.job("bootstrap", window=WINDOW, committee=world.recipe("wave"), categories=("wave",)))
    (tmp_path / "slac.toml").write_text('device = "cpu"\n[scoring]\nworkers = 1\n')
    words = [script, "score", "--category", "wave", "--window", WINDOW, "--committee", world.recipe("wave")]
    given = environ(tmp_path, SLAC_CONFIG=str(tmp_path / "slac.toml"))
    run = subprocess.run(words, env=given, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert world.datasets.partitions(SCORES, category="wave", window=WINDOW)
