"""How much memory Airflow's other processes hold beside a database, for `bench.scheduler`.

The real programs, as the launcher starts them, with the platform's own DAG files and plugins, on the database that a
scheduler left. The dag-processor has read every file, and the api-server has answered what the grid of the load asks
for, and a worker's first request. No task runs meanwhile, so the triggerer waits for nothing.
"""

import json
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

import psycopg2

from bench.harness.costs import shared_out_bytes
from slac_tasks.launcher.airflow import COMPONENTS, PROJECT, Airflow
from slac_tasks.launcher.processes import Daemon, stop_all

READY_SEC, LOOKED_AT_SEC = 900.0, 15.0
"""How long a process may take to be ready, and how long all are looked at then."""
PROGRAM = Path(sys.executable).parent / "airflow"
# This machine's own processes are never behind a proxy.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_JOBS = {"dag-processor": "DagProcessorJob", "triggerer": "TriggererJob"}


def beside(folder: Path, database_url: str) -> Airflow:
    """Return an Airflow on a database whose DAG files are those of a load and those of the platform."""
    (folder / "dags" / "platform").symlink_to(PROJECT / "dags")
    environ = {"SLAC_PODS": "1", "AIRFLOW_CONN_KUBERNETES_DEFAULT": "kubernetes://"}
    return Airflow(home=folder / "beside", database_url=database_url, environ=environ, dags=folder / "dags")


def memory(airflow: Airflow, names: Collection[str]) -> dict[str, int]:
    """Start some processes of Airflow, use them, and stop them.

    Args:
        airflow: where they work.
        names: of `COMPONENTS`.

    Returns:
        By name, the most bytes of the process and its children at one moment; what several share is shared out.

    Raises:
        RuntimeError: one ends, or is not ready in time.

    """
    daemons = {daemon.name: daemon for daemon in airflow.daemons if daemon.name in names}
    try:
        for name, daemon in daemons.items():
            daemon.start([str(PROGRAM), *COMPONENTS[name]], airflow.settings(), PROJECT)
        _wait(airflow, daemons)
        most = dict.fromkeys(names, 0)
        until = time.monotonic() + LOOKED_AT_SEC
        while time.monotonic() < until:
            if "api-server" in names:
                look_at_the_grid(airflow)
            for name, daemon in daemons.items():
                most[name] = max(most[name], shared_out_bytes(_alive(daemon)))
            time.sleep(0.5)
        return most
    finally:
        stop_all(daemons.values())


def look_at_the_grid(airflow: Airflow) -> int:
    """Ask for what the grid of the load shows, of every run; return the bytes of the answers."""
    base, token = airflow.url, _token(airflow)
    headers = {"Authorization": f"Bearer {token}"}

    def answer(path: str) -> bytes:
        request = urllib.request.Request(f"{base}/{path}", headers=headers)
        with _DIRECT.open(request, timeout=120) as found:
            body: bytes = found.read()
        return body

    runs = answer("ui/grid/runs/load?limit=100")
    asked = urllib.parse.urlencode([("run_ids", run["run_id"]) for run in json.loads(runs)])
    pages = ["ui/grid/structure/load?limit=100", f"ui/grid/ti_summaries/load?{asked}", "execution/health"]
    pages.append("api/v2/dags/load/dagRuns/~/taskInstances?limit=100")
    return len(runs) + sum(len(answer(page)) for page in pages)


def _token(airflow: Airflow) -> str:
    login = json.dumps({"username": "admin", "password": airflow.state["passwords"]["admin"]}).encode()
    request = urllib.request.Request(
        f"{airflow.url}/auth/token", data=login, headers={"Content-Type": "application/json"}
    )
    with _DIRECT.open(request, timeout=60) as answer:
        return str(json.load(answer)["access_token"])


def _alive(daemon: Daemon) -> int:
    pid = daemon.pid()
    if pid is None:
        raise RuntimeError(f"{daemon.name} ended: {daemon.last_words()}")
    return pid


def _wait(airflow: Airflow, daemons: Mapping[str, Daemon]) -> None:
    """Wait until every process does its work; all DAG files are read then."""
    until = time.monotonic() + READY_SEC
    missing = list(daemons)
    while missing:
        if time.monotonic() > until:
            raise RuntimeError(f"not ready after {READY_SEC:.0f} s: {', '.join(missing)}")
        time.sleep(0.5)
        for daemon in daemons.values():
            _alive(daemon)
        missing = [name for name in daemons if not _is_ready(airflow, name)]


def _is_ready(airflow: Airflow, name: str) -> bool:
    if name == "api-server":
        try:
            return bool(_token(airflow))
        except OSError:
            return False
    with closing(psycopg2.connect(airflow.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM job WHERE job_type = %s AND state = 'running'", (_JOBS[name],))
        ((jobs,),) = cursor.fetchall()
        cursor.execute("SELECT count(DISTINCT dag_id) FROM serialized_dag")
        ((known,),) = cursor.fetchall()
    files = len([*(PROJECT / "dags").glob("*.py")])
    return bool(jobs) and (name != "dag-processor" or known > files)
