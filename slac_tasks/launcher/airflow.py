"""Airflow as four processes of this machine, and a small client of its REST interface. Imports no Airflow.

Not `airflow standalone`: it orphans its children when it is stopped. What is stored between starts (keys, the port,
passwords) lies in <home>/airflow/launcher.json, readable by the owner alone.
"""

import base64
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slac_tasks.errors import BrokenContract, NotConfigured, Temporary
from slac_tasks.launcher.postgres import free_port, is_free
from slac_tasks.launcher.processes import Daemon, stop_all

Json = dict[str, Any]
"""An object of JSON, as Airflow's REST interface speaks it."""

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that holds dags/ and plugins/."""

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    # Logs of finished and running tasks are files of this machine: nobody needs to serve them.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}

REVIEWERS = ("reviewer1", "reviewer2", "reviewer3")
"""People who may answer in the review page, each with a password of their own."""

_HEALTHY_SEC = 600.0
_READ_TRIES = 5
"""Each is given up after a minute."""


def need_dags() -> None:
    """Make sure that there is something for Airflow to run.

    Raises:
        NotConfigured: this is an installed package, which holds the commands alone.

    """
    if not (PROJECT / "dags").is_dir():
        raise NotConfigured(
            f"{PROJECT / 'dags'}: not there: an installed package has no DAGs, want a clone of the project"
        )


@dataclass(frozen=True, kw_only=True)
class Airflow:
    """The Airflow of one state folder."""

    home: Path
    """State folder: keys and logs of tasks in <home>/airflow, logs and pid files of the processes in <home>/logs."""
    database_url: str
    """Airflow's own database."""
    environ: Mapping[str, str]
    """What tasks need, e.g. SLAC_STORE; every process gets it."""
    dags: Path = PROJECT / "dags"
    plugins: Path = PROJECT / "plugins"
    port: int | None = None
    """Wanted port; None keeps the stored one, or takes a free one."""
    parallelism: int = 4
    """Tasks at the same time."""

    # What is stored --------------------------------------------------------------------------------------------------

    @cached_property
    def state(self) -> Json:
        """Keys, passwords and the port; made on the first use."""
        path = self.home / "airflow" / "launcher.json"
        try:
            state: Json = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            state = {
                "port": 8080,
                "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "jwt_secret": secrets.token_urlsafe(64),
                "secret_key": secrets.token_urlsafe(32),
                "passwords": {name: secrets.token_urlsafe(9) for name in ("admin", *REVIEWERS)},
            }
        before = state["port"]
        if self._daemon("api-server").pid() is None:
            state["port"] = next(p for p in (self.port, before, free_port()) if p and is_free(p))
        _write_private(path, state)
        _write_private(self.home / "airflow" / "passwords.json", state["passwords"])
        return state

    @property
    def url(self) -> str:
        """Address of the UI."""
        return f"http://127.0.0.1:{self.state['port']}"

    def settings(self) -> dict[str, str]:
        """Return the whole environment of Airflow's processes."""
        state = self.state
        port = str(state["port"])
        values = {
            "CORE__DAGS_FOLDER": str(self.dags),
            "CORE__PLUGINS_FOLDER": str(self.plugins),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": str(self.parallelism),
            "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "CORE__FERNET_KEY": state["fernet_key"],
            "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(["admin:admin", *(f"{name}:user" for name in REVIEWERS)]),
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "airflow" / "passwords.json"),
            "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
            "DATABASE__SQL_ALCHEMY_CONN": self.database_url.replace("postgresql://", "postgresql+psycopg2://", 1),
            "API__HOST": "127.0.0.1",
            "API__PORT": port,
            "API__BASE_URL": f"http://127.0.0.1:{port}",
            "API__WORKERS": "1",
            "API__SECRET_KEY": state["secret_key"],
            "API_AUTH__JWT_SECRET": state["jwt_secret"],
            # A file that changes is parsed at once. The others would be the same, but for the names in the form of
            # `add_category`; parsing them more often takes a core from the work.
            "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
            "DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
            # After a killed scheduler its tasks are taken up again in half a minute, not in five.
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "15",
            "LOGGING__BASE_LOG_FOLDER": str(self.home / "airflow" / "logs"),
            "LOGGING__LOGGING_LEVEL": "WARNING",
            "LOGGING__NAMESPACE_LEVELS": "airflow.task=INFO",
            "USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        own = {f"AIRFLOW__{name}": value for name, value in values.items()}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', os.defpath)}"
        # Airflow's own use of a library that has a newer name for it would be the first line of each task's log.
        quiet = {"PYTHONWARNINGS": "ignore:GitWildMatchPattern"}
        return quiet | inherited | {"AIRFLOW_HOME": str(self.home / "airflow"), "PATH": path} | own | dict(self.environ)

    # Life ------------------------------------------------------------------------------------------------------------

    @property
    def daemons(self) -> list[Daemon]:
        """Airflow's processes."""
        return [self._daemon(name) for name in COMPONENTS]

    def _daemon(self, name: str) -> Daemon:
        return Daemon(name=name, folder=self.home / "logs")

    def start(self) -> list[str]:
        """Bring the database to this version and start what does not run; return the names of what was started.

        Raises:
            NotConfigured: Airflow is not installed.
            Temporary: a process does not start; the message ends with its last words.

        """
        if not (_program()).exists():
            raise NotConfigured(f"Airflow: no program {_program()}, want the extra `airflow` installed")
        settings = {"database_url": self.database_url, **self.environ}
        if self.state.get("settings") != settings:
            # What runs talks to a server that has moved, or works with other settings: start it afresh.
            stop_all(self.daemons)
        if all(daemon.pid() for daemon in self.daemons):
            return []
        self._migrate()
        started = []
        for name, arguments in COMPONENTS.items():
            daemon = self._daemon(name)
            if daemon.start([str(_program()), *arguments], self.settings(), PROJECT):
                started.append(name)
        self.state["settings"] = settings
        _write_private(self.home / "airflow" / "launcher.json", self.state)
        return started

    def _migrate(self) -> None:
        log = self.home / "logs" / "migrate.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            code = subprocess.run(
                [str(_program()), "db", "migrate"], stdout=file, stderr=file, env=self.settings(), check=False
            ).returncode
        if code:
            said = log.read_text(encoding="utf-8", errors="replace")
            raise Temporary(f"airflow db migrate: ended with {code}, see {log}: {said[-500:]}")

    def stop(self) -> list[str]:
        """Stop all processes; return the names of those that ran."""
        return stop_all(self.daemons)

    def wait(self, dags: Sequence[str]) -> None:
        """Wait until every part is healthy and the named DAGs can be run.

        Raises:
            Temporary: a process has ended, or it takes longer than ten minutes.
            BrokenContract: a DAG file cannot be imported.

        """
        deadline = time.monotonic() + _HEALTHY_SEC
        missing: list[str] = ["api-server"]
        while time.monotonic() < deadline:
            self.raise_dead()
            missing = self._missing(dags)
            if not missing:
                return
            time.sleep(0.5)
        raise Temporary(f"Airflow: not healthy after {_HEALTHY_SEC:.0f} s: {', '.join(missing)}; see {self.home}/logs")

    def raise_dead(self) -> None:
        """Raise when a process that should run does not.

        Raises:
            Temporary: with what it said last; starting again goes on.

        """
        for daemon in self.daemons:
            if daemon.pid() is None:
                raise Temporary(f"Airflow: {daemon.name} has ended, start again to go on: {daemon.last_words()}")

    def _missing(self, dags: Sequence[str]) -> list[str]:
        """Return what is not ready yet."""
        try:
            # The execution interface is built on its first request, in ten seconds: not on a task's time.
            _request("GET", f"{self.url}/execution/health")
            health = _request("GET", f"{self.url}/api/v2/monitor/health")
            sick = [name for name, part in health.items() if part and part["status"] not in ("healthy", None)]
            if sick:
                return sick
            for error in self.get("importErrors")["import_errors"]:
                raise BrokenContract(f"DAG file {error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}")
            known = {dag["dag_id"] for dag in self.get("dags", limit=100)["dags"]}
        except (OSError, Temporary):
            return ["api-server"]
        return [dag for dag in dags if dag not in known]

    # REST ----------------------------------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Json:
        """Read from the REST interface, version 2; on a busy machine an answer may take several tries.

        Raises:
            Temporary: a process has ended, or no try was answered.

        """
        suffix = f"?{urllib.parse.urlencode(query, doseq=True)}" if query else ""
        for _ in range(_READ_TRIES - 1):
            try:
                return self._call("GET", path + suffix, None)
            except Temporary:
                self.raise_dead()
        return self._call("GET", path + suffix, None)

    def post(self, path: str, body: Json) -> Json:
        """Write to the REST interface, version 2."""
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: Json | None) -> Json:
        for attempt in range(2):
            token = self._token(fresh=attempt > 0)
            try:
                return _request(method, f"{self.url}/api/v2/{path}", body, token)
            except PermissionError:
                continue
        raise NotConfigured(f"Airflow: {method} {path} refused for admin, see {self.home}/airflow/launcher.json")

    def _token(self, *, fresh: bool) -> str:
        if fresh or "token" not in self.__dict__:
            login = {"username": "admin", "password": self.state["passwords"]["admin"]}
            self.__dict__["token"] = _request("POST", f"{self.url}/auth/token", login)["access_token"]
        return str(self.__dict__["token"])


def _request(method: str, url: str, body: Json | None = None, token: str | None = None) -> Json:
    """Send one request and return the answer's JSON.

    Raises:
        PermissionError: the token is missing, or too old (401).
        BrokenContract: the request is refused for what it asks (4xx).
        Temporary: no answer, or one that says that the server is not well.

    """
    request = urllib.request.Request(url, method=method, headers={"Accept": "application/json"})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with _DIRECT.open(request, timeout=60) as answer:
            found: Json = json.loads(answer.read() or b"{}")
            return found
    except urllib.error.HTTPError as error:
        if error.code == 401:
            raise PermissionError(url) from error
        text = error.read().decode(errors="replace")[:300]
        kind = BrokenContract if 400 <= error.code < 500 else Temporary
        raise kind(f"Airflow: {method} {url}: {error.code} {text}") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, json.JSONDecodeError) as error:
        raise Temporary(f"Airflow: {method} {url}: {error}") from error


# This machine's own processes are never behind a proxy.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _program() -> Path:
    return Path(sys.executable).parent / "airflow"


def _write_private(path: Path, content: Any) -> None:
    """Write JSON that its owner alone can read, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.touch(mode=0o600)
    new.write_text(json.dumps(content, indent=1), encoding="utf-8")
    new.replace(path)
