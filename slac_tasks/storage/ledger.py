"""The ledger in Postgres: connections, named queries and migrations. The one owner of SQL execution.

Every statement is a file in sql/queries; parameters are `%(name)s` with casts. Nothing here builds SQL from strings.
"""

import dataclasses
import os
import re
import select
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras

from slac_tasks.errors import BrokenContract, NotConfigured, Temporary
from slac_tasks.storage.refusals import wants_person

SQL = Path(__file__).resolve().parents[1] / "sql"

Row = dict[str, Any]
R = TypeVar("R")

# A dictionary is a jsonb parameter.
psycopg2.extensions.register_adapter(dict, psycopg2.extras.Json)

_MIGRATE_LOCK = 7_221_409
_IS_NEWER = "use the release that migrated it, or a newer one"
_TABLE_SEC = 10
"""How long a migration waits for a table. Whoever wants that table next waits behind it: while a backup or a stage
reads for an hour, nobody could answer."""
_CONNECTION = {
    "application_name": "slac",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""What the address of a server does not say otherwise, in seconds, the last in milliseconds. A server that vanished
without a word, as in a failover, is given up after a minute; by the system's own values a query waits for two hours."""
_SESSION = "SET TIME ZONE 'UTC'; SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED"
"""What no server, database or role says otherwise."""
OLDEST_SERVER = 15
"""Major version of Postgres from which on unique constraints may take two NULLs for the same."""
_PASSING = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    # The address leads to a server that took over and is not the first one yet, or has to write nothing until somebody
    # gives it room: psycopg2 counts this among the server's own faults.
    psycopg2.errors.ReadOnlySqlTransaction,
)
"""Failures that a later try may not meet: the connection is lost, or the server is full, busy or being replaced."""
_LASTING = (psycopg2.IntegrityError, psycopg2.errors.ProgramLimitExceeded)
"""Failures that every try meets, such as a text that no index takes, which psycopg2 counts among what passes."""


@cache
def query(name: str, folder: str = "queries") -> str:
    """Return the statement in sql/<folder>/<name>.sql."""
    return (SQL / folder / f"{name}.sql").read_text(encoding="utf-8")


def migrations() -> list[tuple[int, str]]:
    """Return (version, statements) of every migration, in order."""
    found = []
    for path in sorted((SQL / "migrations").glob("*.sql")):
        match = re.match(r"(\d{4})_", path.name)
        if not match:
            raise BrokenContract(f"migration {path.name}: want four digits and a name, e.g. 0001_ledger.sql")
        found.append((int(match[1]), path.read_text(encoding="utf-8")))
    return found


def open_ledger(environ: Mapping[str, str] = os.environ, *, migrated: bool = True, newer: bool = False) -> "Ledger":
    """Open the ledger that SLAC_DATABASE_URL names.

    Args:
        environ: variables of this process.
        migrated: refuse a ledger of another version.
        newer: but not one that a newer release has migrated. Migrations only add, so pages go on during an upgrade.

    Raises:
        NotConfigured: the variable is missing or is no Postgres address, or the ledger's version is not this code's.
        Temporary: no server answers there.

    """
    url = environ.get("SLAC_DATABASE_URL", "")
    if not url:
        raise NotConfigured("SLAC_DATABASE_URL: not set, want postgresql://user:password@host:port/database")
    ledger = open_postgres(url, "SLAC_DATABASE_URL", "queries")
    if migrated:
        found, want = ledger.versions(), [version for version, _ in migrations()]
        is_newer = set(found) > set(want)
        if found != want and not (newer and is_newer):
            ledger.close()
            raise NotConfigured(
                f"database: ledger is at version {max(found, default=0)} with {len(found)} migrations, "
                f"want {want[-1]} with {len(want)}; " + (_IS_NEWER if is_newer else "run `slac migrate`")
            )
    return ledger


def open_postgres(url: str, variable: str, folder: str) -> "Ledger":
    """Open the Postgres at `url`, which `variable` holds, for the statements in sql/<folder>.

    Raises:
        NotConfigured: the address is none of Postgres, or the server refuses it.
        Temporary: no server answers there.

    """
    name = "database" if folder == "queries" else variable
    parts_of(url, variable)
    try:
        return Ledger(url, folder=folder, name=name)
    except psycopg2.OperationalError as error:
        # The driver's message may repeat the address; it never holds the password.
        reason = str(error).strip().splitlines()[0]
        if wants_person(url, reason):
            raise NotConfigured(f"{name}: refused: {reason}") from error
        raise Temporary(f"{name}: no answer: {reason}") from error


def parts_of(url: str, variable: str) -> Mapping[str, str]:
    """Return the parts of a Postgres address, which `variable` holds, by their names in libpq.

    Raises:
        NotConfigured: it is no such address. The message holds nothing of it, since that may be of the password.

    """
    try:
        parts: dict[str, str] = psycopg2.extensions.parse_dsn(url)
    except (psycopg2.ProgrammingError, UnicodeError):
        parts = {}
    # What follows an @ or a / in a password is the host or the database to libpq, whose messages show them.
    if not parts or any("@" in parts.get(name, "") for name in ("host", "port", "dbname")):
        raise NotConfigured(
            f"{variable}: is no Postgres address, want postgresql://user:password@host:port/database; "
            "in a password @ is written %40, / is %2F and % is %25"
        )
    return parts


class Ledger:
    """One connection to the ledger. Each call is a transaction of its own unless inside `transaction`.

    Moments are of UTC and every statement sees what was committed before it began, whatever the server's defaults are.
    """

    def __init__(self, url: str, *, folder: str = "queries", name: str = "database") -> None:
        self._url = url
        self._folder, self._name = folder, name
        self._is_session = False  # not known yet
        own = psycopg2.extensions.parse_dsn(url)
        given: dict[str, Any] = {name: value for name, value in _CONNECTION.items() if name not in own}
        self._connection: psycopg2.extensions.connection = psycopg2.connect(url, **given)
        self._connection.autocommit = True
        # A server may stand in any zone: what it answers is shown as UTC, and the day of a moment is that of UTC.
        # It may begin transactions in any isolation: whoever waited for a lock must see what the other has written.
        with self._failures(), self._connection.cursor() as cursor:
            cursor.execute(_SESSION)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    @property
    def is_open(self) -> bool:
        """Whether the other side has said nothing since the last call: a server that ends a connection says so."""
        if self._connection.closed:
            return False
        heard = select.poll()
        heard.register(self._connection.fileno(), select.POLLIN)
        return not heard.poll(0)

    def need_session(self) -> None:
        """Make sure that all calls reach one session of the server: a lock that one call takes another gives back.

        Raises:
            NotConfigured: a pool lends a session for each transaction: what it got back last goes to whoever asks next.

        """
        if self._is_session:
            return
        if (own := self.rows("session")) != [{"session": self._connection.info.backend_pid}]:
            with closing(Ledger(self._url, folder=self._folder, name=self._name)) as other, other.transaction():
                other.rows("session")
                if self.rows("session") != own:
                    raise NotConfigured(
                        f"{self._name}: a pool lends its sessions by transaction, so that no lock of a session holds; "
                        "want one that lends them by session (pool_mode=session), or the server itself"
                    )
        self._is_session = True

    def alone(self, address: str) -> AbstractContextManager[None]:
        """Have a partition, or whatever has this address, for this session, by a lock in the ledger (`held`)."""
        taken = f"dataset {address}: another process makes it now; this one wrote nothing"
        return self.held("lock_partition", "unlock_partition", taken, address=address)

    @contextmanager
    def held(self, take: str, give_back: str, taken: str, /, **parameters: Any) -> Iterator[None]:
        """Have what the named query takes for this session, until the block ends and another query gives it back.

        Raises:
            Temporary: another session has it; `taken` is the message.

        """
        self.need_session()
        if not self.rows(take, **parameters)[0]["taken"]:
            raise Temporary(taken)
        try:
            yield
        finally:
            # A connection that broke has given the lock back.
            with suppress(Temporary):
                self.rows(give_back, **parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls inside one transaction: all of them happen, or none. Inside another it is part of that."""
        if not self._connection.autocommit:
            yield
            return
        with self._failures():
            self._connection.autocommit = False
            try:
                yield
                self._connection.commit()
            finally:
                # A connection that broke has nothing to give back, and the failure that says why goes on.
                if not self._connection.closed:
                    self._connection.rollback()
                    self._connection.autocommit = True

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Inside a transaction: make the calls inside happen, or none of them; what came before stays either way."""
        with self._failures(), self._connection.cursor() as cursor:
            cursor.execute("SAVEPOINT part")
            try:
                yield
            except BaseException:
                if not self._connection.closed:
                    cursor.execute("ROLLBACK TO SAVEPOINT part")
                raise
            cursor.execute("RELEASE SAVEPOINT part")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except _LASTING as error:
            raise BrokenContract(f"{self._name}: {str(error).strip().splitlines()[0]}") from error
        except _PASSING as error:
            raise Temporary(f"{self._name}: {str(error).strip().splitlines()[0]}") from error
        except psycopg2.ProgrammingError as error:
            reason = str(error).strip().splitlines()[0]
            if self._folder == "queries":
                if isinstance(error, psycopg2.errors.InsufficientPrivilege):
                    raise NotConfigured(f"{self._name}: refused: {reason}, want a role that may") from error
                raise
            # Somebody else's database: what these statements read is not there, or may not be read.
            raise NotConfigured(f"{self._name}: is no database that sql/{self._folder} reads: {reason}") from error

    def rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """Run the named query and return its rows as dictionaries."""
        with self._failures(), self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(query(name, self._folder), parameters)
            return [dict(row) for row in cursor.fetchall()]

    def all(self, row: type[R], name: str, /, **parameters: Any) -> list[R]:
        """Run the named query and return its rows as objects of `row`, a dataclass whose fields are the columns.

        Raises:
            BrokenContract: the query's columns are not the fields of `row`.

        """
        with self._failures(), self._connection.cursor() as cursor:
            cursor.execute(query(name, self._folder), parameters)
            found = [column.name for column in cursor.description or ()]
            wanted = [field.name for field in dataclasses.fields(row)]  # type: ignore[arg-type]
            if set(found) != set(wanted):
                raise BrokenContract(f"query {name}: columns {sorted(found)}, want {sorted(wanted)} of {row.__name__}")
            return [row(**dict(zip(found, values, strict=True))) for values in cursor]

    def stream(self, name: str, /, size: int = 50_000, **parameters: Any) -> Iterator[list[Row]]:
        """Run the named query and yield its rows, `size` at a time: more than memory holds are no failure.

        All rows are of one moment. Between the parts no other call may be made on this connection.
        """
        with (
            self.transaction(),
            self._connection.cursor("part", cursor_factory=psycopg2.extras.RealDictCursor) as cursor,
        ):
            cursor.execute(query(name, self._folder), parameters)
            while found := cursor.fetchmany(size):
                yield [dict(row) for row in found]

    def columns(self, name: str, /, size: int = 50_000, **parameters: Any) -> Iterator[dict[str, tuple[Any, ...]]]:
        """Run the named query and yield its rows as columns, `size` rows at a time; nothing where there are no rows.

        All rows are of one moment. Between the parts no other call may be made on this connection.
        """
        whole = self.transaction() if self._connection.autocommit else nullcontext()
        with whole, self._connection.cursor("part") as cursor:
            cursor.execute(query(name, self._folder), parameters)
            while found := cursor.fetchmany(size):
                names = [column.name for column in cursor.description or ()]
                yield dict(zip(names, zip(*found, strict=True), strict=True))

    def one(self, name: str, /, **parameters: Any) -> Row | None:
        """Run the named query and return its only row, or None."""
        found = self.rows(name, **parameters)
        if len(found) > 1:
            raise BrokenContract(f"query {name}: returned {len(found)} rows, want at most one")
        return found[0] if found else None

    def run(self, name: str, /, **parameters: Any) -> int:
        """Run the named statement and return how many rows it touched."""
        with self._failures(), self._connection.cursor() as cursor:
            cursor.execute(query(name, self._folder), parameters)
            return cursor.rowcount

    def run_many(self, name: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Run the named statement once for each record, in batches, in one transaction."""
        with self._failures(), self._connection.cursor() as cursor:
            statement = query(name, self._folder)
            records = list(records)
            if self._connection.autocommit and records:
                cursor.execute("BEGIN")
            try:
                psycopg2.extras.execute_batch(cursor, statement, records, page_size=500)
            except BaseException:
                if self._connection.autocommit and not self._connection.closed:
                    cursor.execute("ROLLBACK")
                raise
            if self._connection.autocommit and records:
                cursor.execute("COMMIT")

    def versions(self) -> list[int]:
        """Return the migrations that were applied, in order; none in an empty database."""
        with self._failures(), self._connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('migrations')")
            if cursor.fetchone() == (None,):
                return []
            cursor.execute("SELECT version FROM migrations ORDER BY version")
            return [int(version) for (version,) in cursor.fetchall()]

    def version(self) -> int:
        """Return the version of the last migration, 0 for an empty database."""
        return max(self.versions(), default=0)

    def migrate(self, tell: Callable[[int], None] = lambda version: None) -> list[int]:
        """Apply every migration that is missing, all or none, under an advisory lock; return their versions.

        Args:
            tell: is called with the version of each before it is applied.

        Raises:
            Temporary: somebody else reads or writes a table for long.
            NotConfigured: the ledger is newer than this code, the server too old, or no database for every text.

        """
        version = self._connection.server_version // 10_000
        encoding = self._connection.get_parameter_status("server_encoding")
        if version < OLDEST_SERVER:
            raise NotConfigured(f"database: the server is Postgres {version}, want {OLDEST_SERVER} or newer")
        if encoding != "UTF8":
            raise NotConfigured(f"database: is encoded as {encoding}, want UTF8, which holds every name")
        applied: list[int] = []
        known = migrations()
        with self.transaction(), self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATE_LOCK,))
            found = self.versions()
            if found and found[-1] > known[-1][0]:
                raise NotConfigured(f"database: ledger is at version {found[-1]}, want {known[-1][0]}; {_IS_NEWER}")
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", (f"{_TABLE_SEC}s",))
            for version, statements in known:
                if version not in found:
                    tell(version)
                    try:
                        cursor.execute(statements)
                    except psycopg2.errors.LockNotAvailable as error:
                        raise Temporary(
                            f"database: migration {version:04d} waited {_TABLE_SEC} s for a table that a backup, a "
                            "stage or a page uses; nothing was changed, try it again"
                        ) from error
                    cursor.execute("INSERT INTO migrations (version) VALUES (%s)", (version,))
                    applied.append(version)
        return applied
