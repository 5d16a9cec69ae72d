"""A small pool of ledger connections, so that many people at once share a few of them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue

from slac_tasks.errors import Temporary
from slac_tasks.storage.ledger import Ledger


class Ledgers:
    """At most `most` open connections; the last one used is lent first, so that idle ones stay idle.

    Connections are opened when they are needed: the pages start, and say what is wrong, while Postgres is down.
    """

    def __init__(self, connect: Callable[[], Ledger], *, most: int = 8, wait_sec: float = 10.0) -> None:
        self._connect = connect
        self._idle: LifoQueue[Ledger] = LifoQueue()
        self._free = threading.BoundedSemaphore(most)
        self._wait_sec = wait_sec

    @contextmanager
    def borrow(self) -> Iterator[Ledger]:
        """Lend a connection for the block; one that failed is closed and never lent again.

        Raises:
            Temporary: every connection stayed in use for `wait_sec` seconds.

        """
        if not self._free.acquire(timeout=self._wait_sec):
            raise Temporary("database: every connection is in use, try again in a moment")
        try:
            ledger = self._take()
            try:
                yield ledger
            except Temporary:
                ledger.close()
                self._forget()
                raise
            except BaseException:
                ledger.close()
                raise
            self._idle.put(ledger)
        finally:
            self._free.release()

    def _take(self) -> Ledger:
        """Return an idle connection that the server has not ended meanwhile, as in a restart; else a new one."""
        while True:
            try:
                ledger = self._idle.get_nowait()
            except Empty:
                return self._connect()
            if ledger.is_open:
                return ledger
            ledger.close()

    def _forget(self) -> None:
        """Close the idle connections too: when one died, a restart of the database has killed the rest."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def close(self) -> None:
        """Close what is idle."""
        self._forget()
