"""`slac doctor` looks for every package that the code imports."""

import ast
import sys
from pathlib import Path

import pytest

from slac_tasks.commands import doctor
from slac_tasks.commands.doctor import PACKAGES
from slac_tasks.video import confined

ROOT = Path(__file__).resolve().parents[3] / "slac_tasks"
PAGES = ("web/", "commands/web.py")
MACHINE = ("launcher/",)


def imported(path: Path) -> set[str]:
    """Packages of others that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"slac_tasks"}


def imports_of(*places: str) -> set[str]:
    files = {file for place in places for file in [ROOT / place, *(ROOT / place).rglob("*.py")] if file.is_file()}
    return set().union(*map(imported, files))


def test_every_package_that_the_code_imports_is_looked_for_where_it_is_needed() -> None:
    files = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py")]
    work = imports_of(*[path for path in files if not path.startswith((*PAGES, *MACHINE))])
    assert work == {
        name
        for purpose in (
            "every command",
            "the stages",
            "networks",
            "members that read and frozen video networks",
            "the detector pose",
            "originals by torchcodec",
            "traces, metrics and lineage",
        )
        for name in PACKAGES[purpose]
    }
    # Through uvicorn alone: its fast loop, where that is installed, and the parser of the protocol that we build on.
    assert imports_of(*PAGES) - work == set(PACKAGES["the pages"]) - {"uvloop", "httptools"}
    assert imports_of(*MACHINE) <= work | set(PACKAGES["a platform on one machine"])


def test_each_promise_about_decoders_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    held = {name: name != "network" for name in confined.PROMISES}
    monkeypatch.setattr(confined, "promises", lambda: held)
    lines = list(doctor._decoders())
    assert len(lines) == len(held)
    assert lines[0] == "open     decoders, network: this kernel does not ensure that one opens no socket"
    assert all(line.startswith("holds    decoders, ") for line in lines[1:])
