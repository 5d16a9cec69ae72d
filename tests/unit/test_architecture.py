"""The layers of the platform are tests, not hopes."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

from slac_tasks.procedure import STAGES

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted(
    path for folder in ("slac_tasks", "dags", "plugins", "bench", "docker") for path in (ROOT / folder).rglob("*.py")
)
DAGS = sorted((ROOT / "dags").glob("*.py"))
QUERIES = sorted((ROOT / "sql" / "queries").glob("*.sql"))
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())

HEAVY = {"torch", "torchvision", "pandas", "pyarrow", "numpy", "great_expectations", "cv2", "av", "airflow"}
MOST_LINES = 400


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of every import in a file, the ones inside functions too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def contracts() -> dict[str, dict]:
    return {contract["name"]: contract for contract in SETTINGS["tool"]["importlinter"]["contracts"]}


def test_imports_go_down_only() -> None:
    lint = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    run = subprocess.run(lint, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_module_stands_in_a_layer() -> None:
    layers = contracts()["Rooms: imports go down only"]
    placed = set(re.findall(r"\w+", " ".join(layers["layers"])))
    found = {path.stem for path in (ROOT / "slac_tasks").glob("*.py")} - {"__init__"}
    found |= {path.parent.name for path in (ROOT / "slac_tasks").glob("*/__init__.py")}
    assert found <= placed, "say in pyproject.toml which layer the module belongs to"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("slac_tasks", include_external_packages=True, exclude_type_checking_imports=True)


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES.values() if stage.ledger])
def test_a_stage_that_holds_the_ledgers_password_runs_no_networks_and_opens_no_media(
    stage: str, graph: grimp.ImportGraph
) -> None:
    for library in ("torch", "torchvision", "cv2", "av", "ffmpeg"):
        chain = graph.find_shortest_chain(importer=f"slac_tasks.stages.{stage}", imported=library)
        assert chain is None, " -> ".join(chain or ())


def test_every_stage_has_a_file_and_every_file_a_stage() -> None:
    files = {path.stem for path in (ROOT / "slac_tasks" / "stages").glob("*.py")} - {"__init__"}
    assert files == set(STAGES)


@pytest.mark.parametrize(
    "module",
    [
        "slac_tasks.cli",
        "slac_tasks.config",
        "slac_tasks.storage.objects",
        "slac_tasks.storage.ledger",
        "slac_tasks.job",
    ],
)
def test_light_modules_import_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.split() == []


@pytest.mark.parametrize("stage", ["score", "bootstrap"])
def test_networks_of_our_own_start_without_what_takes_seconds_to_import(stage: str) -> None:
    slow = {"torchvision", "torch._dynamo", "scipy.optimize"}
    code = f"import sys, slac_tasks.stages.{stage}; print(*sorted({slow!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.split() == []


@pytest.mark.parametrize("path", DAGS, ids=name)
def test_dags_import_nothing_heavy(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not imported(tree) & (HEAVY - {"airflow"} | {"kubernetes", "psycopg2", "minio"})
    assert ast.get_docstring(tree), "the docstring is the DAG's page: purpose, reads, writes, safe to run again"


@pytest.mark.parametrize(
    "path", [path for path in PRODUCT if path.relative_to(ROOT).parts[0] in ("slac_tasks", "bench")], ids=name
)
def test_modules_are_small_and_documented(path: Path) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines <= MOST_LINES, f"{lines} lines, want at most {MOST_LINES}"
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "want a module docstring"


@pytest.mark.parametrize(
    "room", ["agents", "web", "reports", "release", "verification", "commands", "launcher", "planning"]
)
def test_who_shows_or_hands_out_anything_never_reads_which_clips_are_gold(room: str) -> None:
    paths = (ROOT / "slac_tasks" / room).rglob("*.py")
    assert not [name(path) for path in paths if re.search(r"gold_?judge", path.read_text(), re.IGNORECASE)]


def test_nothing_is_called_utils() -> None:
    assert not [name(path) for path in PRODUCT if re.search(r"util|helper|misc|common", path.stem)]


def test_nothing_is_left_to_do() -> None:
    mark = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    found = [name(path) for path in [*PRODUCT, *QUERIES, ROOT / "sql" / "schema.sql"] if mark.search(path.read_text())]
    assert not found


@pytest.mark.parametrize("path", QUERIES, ids=name)
def test_every_query_is_described_and_is_one_statement(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("-- "), "the first line says what the statement is for"
    statement = re.sub(r"--.*", "", text).strip()
    assert ";" not in statement.removesuffix(";")
    bare = re.findall(r"%\((\w+)\)s(?!::)", statement)
    assert not bare, f"parameters {bare}: want a cast, e.g. %(name)s::text"


def test_every_query_is_called() -> None:
    called = "".join(path.read_text() for path in PRODUCT)
    assert not [path.stem for path in QUERIES if f'"{path.stem}"' not in called]


def test_no_two_migrations_have_one_number() -> None:
    """Two people may each take the next free one."""
    numbers = [path.name[:4] for path in (ROOT / "sql" / "migrations").glob("*.sql")]
    assert len(numbers) == len(set(numbers))


def test_every_text_file_has_an_encoding() -> None:
    """Else it is that of the locale, which is ASCII under cron and in thin images."""

    def is_left_out(call: ast.Call) -> bool:
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if any(keyword.arg == "encoding" for keyword in call.keywords):
            return False
        if called == "Popen" or (called == "run" and ast.unparse(call.func) == "subprocess.run"):
            return any(keyword.arg == "text" for keyword in call.keywords)
        return called in ("read_text", "write_text")

    found = [
        f"{name(path)}:{node.lineno}"
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and is_left_out(node)
    ]
    assert not found, "give encoding="
