"""Connections to the ledger that an administrator ends before the n-th statement."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest


class Cuts:
    """Ends the connection of whoever would begin the statement after `left` others; `left` is -1 from then on."""

    def __init__(self, url: str, left: int) -> None:
        self.url, self.left = url, left
        self.said: list[str] = []

    def spend(self, connection: psycopg2.extensions.connection, said: str) -> None:
        """Count a statement, or end its connection before the server hears it."""
        if connection.closed or self.left < 0:
            return
        self.left -= 1
        self.said.append(said)
        if self.left < 0:
            end(self.url, connection.info.backend_pid)


def end(url: str, session: int) -> None:
    """End a session of the server, and wait until it is gone."""
    with closing(psycopg2.connect(url)) as own, own.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", (session,))
        assert cursor.fetchall() == [(True,)]


def end_all(url: str) -> None:
    """End all sessions in a database, which may then be copied."""
    with closing(psycopg2.connect(url)) as own, own.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def cut(patch: pytest.MonkeyPatch, url: str, left: int) -> Iterator[Cuts]:
    """Inside the block: end the first connection that begins a statement after `left` others of the whole process."""
    cuts = Cuts(url, left)

    class Connection(psycopg2.extensions.connection):
        def cursor(self, *given: Any, **named: Any) -> Any:
            kind = named.pop("cursor_factory", None) or psycopg2.extensions.cursor

            class Cursor(kind):
                def execute(self, statement: Any, *of: Any) -> Any:
                    cuts.spend(self.connection, str(statement))
                    return super().execute(statement, *of)

            return super().cursor(*given, cursor_factory=Cursor, **named)

        def commit(self) -> None:
            cuts.spend(self, "COMMIT")
            super().commit()

    with patch.context() as patched:
        connect = psycopg2.connect
        patched.setattr(
            "slac_tasks.storage.ledger.psycopg2.connect",
            lambda *given, **named: connect(*given, connection_factory=Connection, **named),
        )
        yield cuts
