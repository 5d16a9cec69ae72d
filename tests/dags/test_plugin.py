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
apps = get_fastapi_plugins()[0]
found["apps"] = [(app["name"], app["url_prefix"], type(app["app"]).__name__) for app in apps]
found["deadlines"] = list(get_deadline_references_plugins())
"""
SAY = """
print(json.dumps(found))
"""
ASK = """
import time
import jwt
from airflow.api_fastapi.app import create_auth_manager
from fastapi import FastAPI
from fastapi.testclient import TestClient
create_auth_manager()
airflow = FastAPI(root_path="/team")
airflow.mount("/slac", apps[-1]["app"])
client = TestClient(airflow, base_url="http://airflow/team/slac", follow_redirects=False)

def asked(path, method="GET", accept="text/html", **role):
    headers = {"accept": accept}
    if role:
        now = time.time()
        claims = {"sub": "ann", "aud": "apache-airflow", "iss": "", "iat": now, "nbf": now, "exp": now + 600, **role}
        headers["authorization"] = "Bearer " + jwt.encode(claims, "x" * 64, "HS512")
    answer = client.request(method, path, headers=headers)
    return answer.status_code, answer.headers.get("location")

found["asked"] = [
    asked("/clips?category=judo"), asked("/clips"), asked("/clips", accept="application/json"),
    asked("/api/votes", "POST"), asked("/review", role=None), asked("/review", role="viewer"),
]
"""

WELCOME = ["slac welcome", "/slac-welcome", "function"]


def loaded(environ: dict[str, str], then: str = "") -> dict[str, object]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SLAC_")}
    environ = {**clean, "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64, "PYTHONWARNINGS": "ignore", **environ}
    run = subprocess.run([sys.executable, "-c", LOAD + then + SAY], env=environ, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    found: dict[str, object] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_the_pages_are_made_when_the_server_asks_for_them_and_nothing_heavy_before(tmp_path: Path) -> None:
    found = loaded({"SLAC_STORE": str(tmp_path), "SLAC_DATABASE_URL": "postgresql://nobody@nowhere/slac"}, ASK)
    assert found["apps"] == [WELCOME, ["slac", "/slac", "FastAPI"]]
    assert found["deadlines"] == ["slac_watch.RunMade"], "what the deadlines of the DAGs are counted from"
    login = "/team/api/v2/auth/login?next=%2Fteam%2Fslac%2Fclips"
    assert found["asked"] == [
        # Who opens a page is led to Airflow's login and back; what a page asks for by itself is refused.
        [303, f"{login}%3Fcategory%3Djudo"], [303, login], [401, None], [401, None],
        # Somebody without a role is known, and sees nothing.
        [403, None], [200, None],
    ]  # fmt: skip
    assert (found["plugins"], found["errors"], found["heavy"]) == (["slac"], {}, [])


def test_without_a_store_there_are_no_pages() -> None:
    assert loaded({})["apps"] == [WELCOME]
