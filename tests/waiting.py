"""One connection that waits for another: tests order what happens by it, and not by the clock."""

import threading

from slac_tasks.storage.ledger import Ledger


def until_blocked(ledger: Ledger, thread: threading.Thread) -> None:
    """Wait until another connection waits for this one, or the thread that has it has ended."""
    while thread.is_alive():
        with ledger._connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            if cursor.fetchone() != (0,):
                return
