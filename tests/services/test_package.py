"""The package that `uv build` and `pip install .` make: every command works from it, without a clone of the project."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def names(folder: Path) -> set[str]:
    """Return the files below a folder, but what Python compiled."""
    return {
        str(Path(at, file).relative_to(folder))
        for at, _, files in os.walk(folder, followlinks=True)
        for file in files
        if not at.endswith("__pycache__")
    }


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel of a source package is unpacked, as pip does with one that holds Python alone."""
    folder = tmp_path_factory.mktemp("package")
    for name in ("slac_tasks", "sql"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    uv = Path(sysconfig.get_path("scripts"), "uv")
    subprocess.run(
        [uv, "build", "--quiet", "--offline", "--no-build-isolation", "--python", sys.executable],
        cwd=folder,
        check=True,
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "installed")
    return folder / "installed"


def slac(installed: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the unpacked package."""
    return subprocess.run(
        [sys.executable, "-m", "slac_tasks.cli", *words], cwd=installed, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(installed), **environ},
    )  # fmt: skip


def test_the_package_holds_all_that_stands_beside_the_code(installed: Path) -> None:
    assert names(installed / "slac_tasks") == names(ROOT / "slac_tasks")


def test_commands_find_their_queries_and_pages(installed: Path, database_url: str, tmp_path: Path) -> None:
    environ = {"SLAC_DATABASE_URL": database_url, "SLAC_STORE": str(tmp_path / "store")}
    for words in (["migrate"], ["register", "--category", "Long jump"], ["funnel"]):
        done = slac(installed, *words, **environ)
        assert done.returncode == 0, done.stderr


def test_what_needs_airflow_wants_a_clone(installed: Path) -> None:
    done = slac(installed, "demo")
    assert done.returncode == 78
    assert f"{installed / 'dags'}: not there: an installed package has no DAGs" in done.stderr
    assert not list(installed.glob(".slac*"))
