"""A budget for every host: requests per second, bytes per second, and the pauses that it asks for."""

import threading
import time

from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.settings import Fetch

_SILENT = 10
"""A host that did not answer so often in a row is left alone for a while (ours)."""


class Hosts:
    """What each host has been asked for; shared by all threads of a process."""

    def __init__(self, limits: Fetch) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._free: dict[str, float] = {}
        self._bytes_free: dict[str, float] = {}
        self._refusals: dict[str, int] = {}
        self._silent: dict[str, tuple[int, float]] = {}

    def free_at(self, host: str) -> float:
        """Return when the host may be asked again, on the monotonic clock."""
        with self._lock:
            return self._free.get(host, 0.0)

    def take(self, host: str) -> None:
        """Wait for the host's turn and take it.

        Raises:
            Unfetched: it asked for a longer pause than this process waits, or has not answered for a while.

        """
        while True:
            with self._lock:
                now = time.monotonic()
                wait = self._free.get(host, 0.0) - now
                failures, since = self._silent.get(host, (0, 0.0))
                if failures >= _SILENT and now - since < self._limits.max_wait_sec:
                    raise Unfetched("network", f"{host} did not answer {failures} times", retryable=True)
                if wait <= 0:
                    self._free[host] = now + 1 / self._limits.requests_per_sec
                    return
            if wait > self._limits.max_wait_sec:
                raise Unfetched("rate-limited", f"{host} asks to wait {wait:.0f} s", retryable=True)
            time.sleep(wait)

    def refused(self, host: str, pause_sec: float | None) -> None:
        """Leave the host alone for as long as it asks, or, where it does not say, twice as long each time."""
        with self._lock:
            count = self._refusals[host] = self._refusals.get(host, 0) + 1
            # A host that refuses thousands in a row would ask for more seconds than a number holds.
            longer = 2.0 ** min(count - 1, 30)
            pause = pause_sec if pause_sec is not None else min(longer, self._limits.max_wait_sec)
            self._free[host] = max(self._free.get(host, 0.0), time.monotonic() + pause)

    def silent(self, host: str) -> None:
        """Count a request without an answer: a dead host costs a few waits, and not one for each of its videos."""
        with self._lock:
            self._silent[host] = (self._silent.get(host, (0, 0.0))[0] + 1, time.monotonic())

    def answered(self, host: str, *, served: bool) -> None:
        """Forget earlier silence, and where it served, earlier refusals."""
        with self._lock:
            self._silent.pop(host, None)
            if served:
                self._refusals.pop(host, None)

    def spend(self, host: str, count: int) -> None:
        """Wait until `count` more bytes are within the host's budget."""
        with self._lock:
            now = time.monotonic()
            # A second's worth may come at once.
            free = max(self._bytes_free.get(host, 0.0), now - 1.0) + count / self._limits.bytes_per_sec
            self._bytes_free[host] = free
        if free > now:
            time.sleep(free - now)
