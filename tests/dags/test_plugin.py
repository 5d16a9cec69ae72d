"""The plugin as Airflow loads it: in every task and every parser of a DAG file, so it must be light."""

import json
import os
import subprocess
import sys
from pathlib import Path

LOAD = """
import json, sys
from airflow.plugins_manager import get_deadline_references_plugins, get_fastapi_plugins, _get_plugins
plugins, errors = _get_plugins()
heavy = sorted({"kubernetes", "slac_tasks.web.app", "slac_airflow"} & set(sys.modules))
found = {"plugins": [one.name for one in plugins], "errors": errors, "heavy": heavy}
found["apps"] = [(app["name"], app["url_prefix"], type(app["app"]).__name__) for app in get_fastapi_plugins()[0]]
found["deadlines"] = list(get_deadline_references_plugins())
print(json.dumps(found))
"""


WELCOME = ["slac welcome", "/slac-welcome", "function"]


def loaded(environ: dict[str, str]) -> dict[str, object]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLAC_")}
    environ = {**clean, "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64, "PYTHONWARNINGS": "ignore", **environ}
    run = subprocess.run([sys.executable, "-c", LOAD], env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found: dict[str, object] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_the_pages_are_made_when_the_server_asks_for_them_and_nothing_heavy_before(tmp_path: Path) -> None:
    found = loaded({"SLAC_STORE": str(tmp_path), "SLAC_DATABASE_URL": "postgresql://nobody@nowhere/slac"})
    assert found["apps"] == [WELCOME, ["slac", "/slac", "FastAPI"]]
    assert found["deadlines"] == ["slac_watch.RunMade"], "what the deadlines of the DAGs are counted from"
    assert (found["plugins"], found["errors"], found["heavy"]) == (["slac"], {}, [])


def test_without_a_store_there_are_no_pages() -> None:
    assert loaded({})["apps"] == [WELCOME]
