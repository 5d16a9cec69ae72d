"""Real services, cheaply: a migrated template database cloned for each test, and an S3 server for the whole session.

A service that is absent here skips its tests by name; in CI, where everything must be present, it fails them.
"""

import gc
import importlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, Protocol

# Before a library starts threads. Where more of them than processors wait for each other, each waits for a turn.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Images of Python like to set it. Each process that a test starts would compile all that it imports, for seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import hypothesis
import psycopg2
import psycopg2.sql
import pytest

from slac_tasks.config import Config
from slac_tasks.errors import SlacError
from slac_tasks.importing import kept
from slac_tasks.job import Job
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger

S3_KEY, S3_SECRET, S3_BUCKET = "slac-tests", "no-secret-of-anybody", "slac"

# How long an example takes says how loaded the machine is; pytest's own limit stops one that hangs.
hypothesis.settings.register_profile("loaded", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("loaded")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import every test without looking for garbage among what stays: a third of the time."""
    with kept():
        return (yield)


def pytest_sessionfinish() -> None:
    """Let go of what stayed: a library of torch's complains of its own objects that are there at the end."""
    gc.unfreeze()


def absent(service: str) -> NoReturn:
    """Skip the test for want of a service; fail it in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{service}: absent, want it in CI")
    pytest.skip(f"{service}: absent on this machine")


class MakeJob(Protocol):
    def __call__(
        self,
        stage: str,
        *,
        settings: dict[str, Any] | None = None,
        environ: dict[str, str] | None = None,
        **fields: Any,
    ) -> Job: ...


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A real Postgres for the whole session."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), fsync=False)
    try:
        server.start()
    except SlacError as failure:
        absent(f"Postgres ({failure})")
    yield server
    server.remove()


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> str:
    """Address of a migrated database that tests clone and never change."""
    url = postgres.url("slac_template")
    ledger = Ledger(url)
    ledger.migrate()
    ledger.close()
    return url


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Address of an empty database, dropped afterwards."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    yield postgres.url(name)
    administer(postgres, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture
def ledger_url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    """Address of a fresh ledger, dropped afterwards."""
    name = f"ledger_{uuid.uuid4().hex[:12]}"
    server, _, source = template.rpartition("/")
    # Of a template as small as this, half the work of a copy through the log.
    administer(postgres, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, source)
    yield f"{server}/{name}"
    administer(postgres, "DROP DATABASE {} WITH (FORCE)", name)


def administer(server: EmbeddedPostgres, statement: str, *names: str) -> None:
    """Run a statement about databases of these names."""
    connection = psycopg2.connect(server.url("postgres"))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(psycopg2.sql.SQL(statement).format(*map(psycopg2.sql.Identifier, names)))
    finally:
        connection.close()


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A connection to a fresh ledger."""
    connected = Ledger(ledger_url)
    yield connected
    connected.close()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """An empty store in a folder."""
    return FolderStore(tmp_path / "store")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment of a real S3 server with an empty bucket and keys that it checks."""
    with serve_s3(tmp_path_factory.mktemp("s3")) as environ:
        yield environ


@contextmanager
def serve_s3(folder: Path, *, certificate: tuple[Path, Path] | None = None) -> Iterator[dict[str, str]]:
    """Run an S3 server over a folder, with TLS where there is a (certificate, key); yield what it is reached with."""
    # The wheel puts the program beside the interpreter.
    program = shutil.which(
        "rclone", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    )
    if program is None:
        absent("S3 server (rclone)")
    (folder / "objects" / S3_BUCKET).mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    words = [f"--{name}={path}" for name, path in zip(("cert", "key"), certificate or (), strict=False)]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [program, "serve", "s3", str(folder / "objects"), "--addr", address, "--config", str(folder / "none.conf"),
             "--auth-key", f"{S3_KEY},{S3_SECRET}", *words],
            stdout=log, stderr=log, env={"PATH": os.environ.get("PATH", ""), "HOME": str(folder)},
        )  # fmt: skip
    try:
        _wait_for(server, address, folder / "server.log")
        yield {
            "SLAC_STORE": f"s3://{S3_BUCKET}/{uuid.uuid4().hex[:8]}",
            "SLAC_S3_ENDPOINT": f"{'https' if certificate else 'http'}://{address}",
            "AWS_ACCESS_KEY_ID": S3_KEY,
            "AWS_SECRET_ACCESS_KEY": S3_SECRET,
        }
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    absent(f"S3 server ({log.read_text(errors='replace')[-300:]})")


@pytest.fixture(scope="session")
def by_torchcodec() -> ModuleType:
    """Our reader of originals; torchcodec is an extra, and needs libraries of FFmpeg."""
    try:
        return importlib.import_module("slac_tasks.video.by_torchcodec")
    except (ImportError, RuntimeError, OSError):
        absent("torchcodec")


@pytest.fixture
def make_job(store: FolderStore, request: pytest.FixtureRequest) -> Iterator[MakeJob]:
    """Make the job of a stage on this test's store and ledger.

    ``make_job("publish", categories=("judo",), round="2026-01-05.p1", settings={"review": Review(votes_wanted=3)})``:
    `settings` are fields of Config; categories, remake, remakes and follow are fields of Job; the others are flags.
    For a ledger, name `ledger` or `ledger_url` among the test's fixtures.
    """
    made: list[Job] = []
    url = request.getfixturevalue("ledger_url") if {"ledger", "ledger_url"} & set(request.fixturenames) else ""

    def make(
        stage: str, *, settings: dict[str, Any] | None = None, environ: dict[str, str] | None = None, **fields: Any
    ) -> Job:
        config = Config(**{"store_url": store.url, **(settings or {})})
        job = Job(
            stage=stage,
            config=config,
            environ={"SLAC_STORE": config.store_url, "SLAC_DATABASE_URL": url} | (environ or {}),
            **{name: fields.pop(name) for name in ("categories", "remake", "remakes", "follow") if name in fields},
            given=fields,
        )
        made.append(job)
        return job

    yield make
    for job in made:
        if "ledger" in job.__dict__:
            job.ledger.close()


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No weights on this machine, and no way to the hub."""

    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", refuse)


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compute in one thread, here and in processes that start here.

    A sum then has one order. Adam makes a whole step of any difference, however small, where a gradient is nearly zero.
    """
    import torch

    threads = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
