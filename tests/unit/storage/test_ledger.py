"""What the server refuses becomes one of our failures, so that the exit code and the page say what to do."""

import re
import socket
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slac_tasks.errors import BrokenContract, NotConfigured, SlacError, Temporary
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.storage import ledger as storage_ledger
from slac_tasks.storage.ledger import Ledger, open_ledger

WRITE = {"category": "judo", "name": "Judo", "guideline": None}


def register(ledger: Ledger) -> int:
    return ledger.run("register_category", **WRITE)


def register_together(ledger: Ledger) -> int:
    with ledger.transaction():
        return register(ledger)


def register_many(ledger: Ledger) -> None:
    ledger.run_many("register_category", [WRITE])


def test_a_text_that_no_index_takes_is_no_failure_that_passes(ledger: Ledger) -> None:
    name = "".join(map(str, range(9_000)))
    with pytest.raises(BrokenContract, match="database: index row "):
        ledger.run("add_excluded_names", benchmark="mine", names=[name], subsets=["listed"])


@pytest.mark.parametrize("write", [register, register_together, register_many])
@pytest.mark.parametrize(
    ("statement", "failure", "said"),
    [
        # A standby after a failover, and a managed server whose disk is full, both answer like this.
        ("SET default_transaction_read_only = on", Temporary, "database: cannot execute .* in a read-only transaction"),
        ("SET statement_timeout = 200; LOCK TABLE categories", Temporary, "database: canceling statement"),
        ("SET ROLE stranger", NotConfigured, "database: refused: permission denied for table categories, want a role"),
    ],
)
def test_what_the_server_refuses_is_a_failure_with_a_meaning(
    ledger: Ledger, ledger_url: str, write, statement: str, failure: type[SlacError], said: str
) -> None:
    other = Ledger(ledger_url)
    with other._connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'stranger'")
        if cursor.fetchone() == (0,):
            cursor.execute("CREATE ROLE stranger")
        setting, _, holds = statement.partition("; ")
        if holds:
            cursor.execute(f"BEGIN; {holds}")
    with ledger._connection.cursor() as cursor:
        cursor.execute(setting)
    with pytest.raises(failure, match=said):
        write(ledger)
    other.close()
    with ledger._connection.cursor() as cursor:
        cursor.execute("RESET ROLE; RESET ALL")
    # Nothing of it is left open: the same connection goes on.
    write(ledger)
    assert [row["category"] for row in ledger.rows("categories")] == ["judo"]


def test_a_transaction_whose_connection_the_server_ends_says_so_and_nothing_of_it_happened(
    ledger: Ledger, ledger_url: str
) -> None:
    with closing(Ledger(ledger_url)) as other:
        with other._connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = '50ms'")

        def write_late() -> None:
            with other.transaction():
                register(other)
                time.sleep(0.3)
                register(other)

        assert other.is_open
        with pytest.raises(Temporary, match=r"database: (server closed the connection|terminating connection)"):
            write_late()
        assert not other.is_open
    assert ledger.rows("categories") == []


@pytest.mark.parametrize(
    ("made", "asked", "said"),
    [
        ("CREATE ROLE visitor PASSWORD 'word'", "visitor:word@{server}/postgres", 'role "visitor" is not permitted'),
        ("CREATE DATABASE shut ALLOW_CONNECTIONS false", "{slac}@{server}/shut", 'database "shut" is not currently'),
        ("SELECT 1", "{slac}@{server}/postgres?sslmode=require", "server does not support SSL"),
    ],
)
def test_a_server_that_lets_nobody_in_wants_a_person(
    postgres: EmbeddedPostgres, made: str, asked: str, said: str
) -> None:
    url = postgres.url("postgres")
    with closing(Ledger(url)) as server, server._connection.cursor() as cursor:
        cursor.execute(made)
    slac, _, server_at = url.removeprefix("postgresql://").removesuffix("/postgres").partition("@")
    with pytest.raises(NotConfigured, match=f"database: refused: .*{said}"):
        open_ledger({"SLAC_DATABASE_URL": "postgresql://" + asked.format(slac=slac, server=server_at)})


def said_of(address: str) -> str:
    try:
        open_ledger({"SLAC_DATABASE_URL": address})
    except SlacError as failure:
        return str(failure)
    return ""


PASSWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=30)


@given(PASSWORDS, st.sampled_from(["postgresql://u:{}@127.0.0.1:1/slac", "host=127.0.0.1 port=1 password={}"]))
@example("wo/rd8901", "postgresql://u:{}@127.0.0.1:1/slac")
@example("wo@rd8901", "postgresql://u:{}@127.0.0.1:1/slac")
@example("wo/r@d8901", "postgresql://u:{}@127.0.0.1:1/slac")
@example("wo%rd8901", "postgresql://u:{}@127.0.0.1:1/slac")
@example("12/345678", "postgresql://u:{}@127.0.0.1:1/slac")
@example("database", "postgresql://u:{}@127.0.0.1:1/slac")
def test_no_part_of_a_password_is_shown_however_it_is_written(password: str, address: str) -> None:
    said = said_of(address.format(password))
    # A password may be a word of the message, such as `database`: that word is said whatever the password is.
    anyway = said_of(address.format(re.sub(r"[^@/?#:%\s=]", "\u02aa", password)))
    for part in re.split(r"[@/?#:%\s=]", password):
        assert len(part) < 4 or part not in said or part in anyway


@pytest.mark.parametrize(("asked", "idle"), [("", 30), ("?keepalives_idle=7&connect_timeout=3", 7)])
def test_a_server_that_vanished_is_given_up_after_a_minute_unless_its_address_says_otherwise(
    ledger_url: str, asked: str, idle: int
) -> None:
    ledger = Ledger(ledger_url + asked)
    with socket.socket(fileno=socket.dup(ledger._connection.fileno())) as held:
        found = {
            name: held.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
            for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
        }
    assert found == {"TCP_KEEPIDLE": idle, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}
    ledger.close()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns"])
def test_moments_are_of_utc_whatever_the_servers_time_zone(ledger: Ledger, ledger_url: str, zone: str) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (name,) = cursor.fetchone() or ("",)
        cursor.execute(f"ALTER DATABASE {name} SET timezone = '{zone}'")
    with closing(Ledger(ledger_url)) as other:
        register(other)
        with other._connection.cursor() as cursor:
            cursor.execute("SELECT registered_at FROM categories")
            ((registered,),) = cursor.fetchall()
        assert registered.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - registered) < timedelta(minutes=5)


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_who_waited_for_a_lock_sees_what_the_other_wrote_whatever_isolation_the_server_has(
    ledger: Ledger, ledger_url: str, isolation: str
) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (name,) = cursor.fetchone() or ("",)
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'")
    with closing(Ledger(ledger_url)) as other, other.transaction():
        # Whoever holds the lock has written nothing yet when it is asked for.
        other.rows("lock_admission")
        register(ledger)
        assert [row["category"] for row in other.rows("categories")] == [WRITE["category"]]


def test_what_a_newer_release_migrated_is_for_pages_alone_and_an_older_ledger_for_nobody(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ, known = {"SLAC_DATABASE_URL": ledger_url}, storage_ledger.migrations()
    monkeypatch.setattr(storage_ledger, "migrations", lambda: known[:-1])
    with pytest.raises(NotConfigured, match=r"use the release that migrated it, or a newer one$"):
        open_ledger(environ)
    with closing(open_ledger(environ, newer=True)) as other:
        assert other.rows("categories") == []
        with pytest.raises(NotConfigured, match=r"use the release that migrated it, or a newer one$"):
            other.migrate()
    monkeypatch.setattr(storage_ledger, "migrations", lambda: [*known, (9999, "SELECT 1")])
    for newer in (False, True):
        with pytest.raises(NotConfigured, match=r"want 9999 with .*; run `slac migrate`$"):
            open_ledger(environ, newer=newer)


def test_a_table_that_somebody_reads_for_long_holds_up_a_migration_and_nobody_behind_it(
    ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = storage_ledger.migrations()
    newer = [(9998, "CREATE TABLE added ()"), (9999, "ALTER TABLE categories ADD COLUMN added text")]
    monkeypatch.setattr(storage_ledger, "migrations", lambda: known + newer)
    monkeypatch.setattr(storage_ledger, "_TABLE_SEC", 0.1)
    begun: list[int] = []
    with closing(Ledger(ledger_url)) as backup:
        with backup.transaction():
            backup.rows("categories")
            with pytest.raises(Temporary, match=r"migration 9999 waited .*; nothing was changed, try it again"):
                ledger.migrate(begun.append)
            assert (begun, ledger.version()) == ([9998, 9999], known[-1][0])
        assert ledger.migrate() == begun
        assert len(backup.rows("categories")) == 0


def test_a_server_that_is_too_old_is_refused_before_anything_is_made(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage_ledger, "OLDEST_SERVER", 99)
    with closing(Ledger(database_url)) as ledger:
        with pytest.raises(NotConfigured, match=r"database: the server is Postgres \d+, want 99 or newer"):
            ledger.migrate()
        assert ledger.version() == 0


def test_a_database_that_cannot_hold_every_name_is_refused(postgres: EmbeddedPostgres) -> None:
    with closing(Ledger(postgres.url("postgres"))) as server, server._connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with closing(Ledger(postgres.url("latin"))) as ledger:
        with pytest.raises(NotConfigured, match="database: is encoded as LATIN1, want UTF8"):
            ledger.migrate()
        assert ledger.version() == 0
