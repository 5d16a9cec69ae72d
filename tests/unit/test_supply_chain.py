"""What is known of what others made: vulnerabilities, contents of the images, base images by digest."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
DIGEST = "sha256:" + "0123456789abcdef" * 4
CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "c", "skip_reason": "Dependency not found"}


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def audited(folder: Path, answer: str) -> "subprocess.CompletedProcess[str]":
    """Run the audit with a pip-audit that answers so: it is looked for beside the interpreter."""
    python = folder / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    program(folder / "bin" / "pip-audit", answer)
    return subprocess.run([python, ROOT / ".ci" / "audit.py", "a.lock"], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("packages", "code", "last"),
    [
        ([CLEAN], 0, "audit: no known vulnerability in 1 packages"),
        ([CLEAN, BAD], 1, "audit: 1 known vulnerabilities"),
        ([CLEAN, UNKNOWN], 75, "audit: SKIPPED, nothing is known of 1 packages or locks"),
        ([UNKNOWN, BAD], 1, "audit: 1 known vulnerabilities"),
    ],
)
def test_a_package_that_nobody_was_asked_about_is_not_called_safe(
    tmp_path: Path, packages: list[object], code: int, last: str
) -> None:
    ended = audited(tmp_path, f"echo '{json.dumps({'dependencies': packages, 'fixes': []})}'")
    assert ended.returncode == code, ended.stderr
    assert ended.stdout.splitlines()[-1].startswith(last)
    assert ("b 2: CVE-1, mended in 3" in ended.stdout) == (BAD in packages)


def test_an_audit_without_a_network_is_a_clear_skip(tmp_path: Path) -> None:
    ended = audited(tmp_path, "echo 'ERROR: failed to resolve the host' >&2; exit 1")
    assert ended.returncode == 75
    assert "audit: a.lock: ERROR: failed to resolve the host" in ended.stderr
    assert "SKIPPED" in ended.stdout


def bases(folder: Path) -> dict[str, str]:
    """A copy of every file that names a base image, and its text."""
    for path in [*(ROOT / "docker").glob("*.Dockerfile"), ROOT / "docker-compose.yaml"]:
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    return {path.name: path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def pinned(folder: Path, docker: str, monkeypatch: pytest.MonkeyPatch) -> "subprocess.CompletedProcess[str]":
    monkeypatch.setenv("PATH", str(program(folder / "bin" / "docker", docker).parent))
    return subprocess.run(
        [sys.executable, ROOT / ".ci" / "pin_bases.py", folder / "root"], capture_output=True, text=True
    )


def test_bases_are_pinned_by_the_digest_that_the_registry_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "root").mkdir()
    bases(tmp_path / "root")
    for digest in (DIGEST, "sha256:" + "f" * 64):  # the second time they are pinned already
        ended = pinned(tmp_path, f"echo {digest}", monkeypatch)
        assert ended.returncode == 0, ended.stderr
        now = {path.name: path.read_text() for path in sorted((tmp_path / "root").rglob("*")) if path.is_file()}
        for name in ("task.Dockerfile", "airflow.Dockerfile"):
            (base,) = re.findall(r"(?m)^ARG BASE=(.*)$", now[name])
            assert re.fullmatch(rf"python:[^@]+@{digest}", base)
        for service in ("POSTGRES", "S3"):
            assert re.search(rf"\$\{{{service}_IMAGE:-[^@}}]+@{digest}\}}", now["docker-compose.yaml"])


@pytest.mark.parametrize("docker", ["echo no such host >&2; exit 1", "echo latest", "exit 0"])
def test_a_digest_is_never_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, docker: str) -> None:
    (tmp_path / "root").mkdir()
    before = bases(tmp_path / "root")
    ended = pinned(tmp_path, docker, monkeypatch)
    assert ended.returncode == 75
    assert "nothing was changed" in ended.stdout
    assert {path.name: path.read_text() for path in sorted((tmp_path / "root").rglob("*")) if path.is_file()} == before


def test_an_sbom_names_what_the_lock_names(tmp_path: Path) -> None:
    make = shutil.which("make")
    if make is None or not (BIN / "cyclonedx-py").exists():
        pytest.skip("make and cyclonedx-py: want both")
    target = f"{tmp_path}/uv.json"
    programs = shlex.quote(str(BIN)).replace("$", "$$")
    subprocess.run(
        [make, "--no-print-directory", target, f"SBOMS={tmp_path}", f"BIN={programs}"], check=True, cwd=ROOT,
        capture_output=True,
    )  # fmt: skip
    found = json.loads(Path(target).read_text())
    named = set(re.findall(r"(?m)^([a-z0-9._-]+)==([^\s\\]+)", (ROOT / "requirements-uv.lock").read_text()))
    assert found["bomFormat"] == "CycloneDX"
    assert {(part["name"], part["version"]) for part in found["components"]} == named
    assert found["metadata"]["component"]["name"] == "slac"


def test_no_check_of_bandit_is_left_out_for_all() -> None:
    given = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["bandit"]
    assert not {"skips", "tests"} & given.keys()


def test_bandit_finds_what_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import subprocess\nsubprocess.run(input(), shell=True)\neval(input())\n")
    found = [line for line in (ROOT / "Makefile").read_text().splitlines() if "bandit" in line]
    argv = [word.replace("$(BIN)", str(BIN)) for word in found[0].split("--recursive")[0].split()]
    ended = subprocess.run([*argv, "--recursive", tmp_path], capture_output=True, text=True, cwd=ROOT)
    assert ended.returncode == 1
    assert "B602" in ended.stdout


def test_every_place_names_the_versions_of_python_that_the_package_takes() -> None:
    takes = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    ((first, after),) = re.findall(r">=3\.(\d+),<3\.(\d+)", takes)
    versions = [f"3.{minor}" for minor in range(int(first), int(after))]
    said = f"{', '.join(versions[:-1])} or {versions[-1]}"
    for place in ("README.md", "docs/tutorial/index.md", "Makefile", "slac_tasks/commands/doctor.py"):
        assert said in (ROOT / place).read_text(), place
    asked = re.findall(r"command -v python(3\.\d+)", (ROOT / "Makefile").read_text())
    assert asked == versions
