"""Every benchmark runs at its tiny size, so none rots unnoticed. A new one is found here without an edit."""

import ast
import importlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from conftest import absent

from bench.harness import ABSENT, Bench

FOLDER = Path(__file__).resolve().parents[2] / "bench"
BENCHES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
MODULES = sorted(FOLDER.rglob("*.py"))
HARMLESS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)


def bench(name: str) -> Bench:
    return importlib.import_module(f"bench.{name}").BENCH


def platform_environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("SLAC_")}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks of toy size: on a busy machine two threads wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", BENCHES)
@pytest.mark.usefixtures("no_hub")
def test_the_tiny_size_runs_to_its_last_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = platform_environ()
    code = bench(name).main(["--tiny"])
    said = capsys.readouterr()
    if code == ABSENT:
        absent(said.err.splitlines()[-1])
    assert code == 0
    last = json.loads(said.out.splitlines()[-1])
    assert last.keys() == {"bench", "figures"}
    assert last["bench"] == name
    figures = last["figures"]
    assert 0 <= figures.pop("scale") < 1
    assert any(value is not None for value in figures.values())
    assert all(value is None or math.isfinite(value) for value in figures.values())
    assert platform_environ() == before


@pytest.mark.parametrize("name", BENCHES)
def test_help_names_the_sizes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench(name).main(["--help"])
    assert ended.value.code == 0
    assert f"`python -m bench.{name}" in capsys.readouterr().out


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_an_import_does_nothing(path: Path) -> None:
    """Processes that a benchmark starts import its module again."""
    docstring, *statements = ast.parse(path.read_text()).body
    if path.parent == FOLDER and path.stem != "__init__":
        assert ast.unparse(statements.pop()) == "if __name__ == '__main__':\n    sys.exit(BENCH.main())"
    elif statements and ast.unparse(statements[-1]) == "if __name__ == '__main__':\n    sys.exit(main())":
        statements.pop()  # a program of its own that a benchmark starts
    for statement in [docstring, *statements]:
        is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        assert is_text or isinstance(statement, HARMLESS), f"line {statement.lineno}: happens at import"
