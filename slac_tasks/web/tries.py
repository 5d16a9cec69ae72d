"""How often a login may be tried: after some failures each further one makes the next wait longer.

Counted in the memory of one process: with two workers somebody gets twice the free tries, and a restart forgets.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

FREE_TRIES = 5
"""Failures of one name from one address that cost no wait: people mistype."""
FREE_TRIES_OF_ADDRESS = 50
"""Failures of one address over all names: an office may share one, a guesser needs more."""
FREE_TRIES_OF_NAME = 100
"""Failures of one name from all addresses: many machines may guess at one person's password."""
WAIT_MOST_OF_NAME_SEC = 30.0
"""The longest wait of a name that others guess at: the person herself is not locked out for longer."""
WAIT_MOST_SEC = 900.0
"""The longest wait, and how long a failure is counted after it."""
COUNTED_MOST = 20_000
"""Names and addresses that are counted at the same time; the oldest is forgotten first."""

Key = tuple[str, ...]


@dataclass(kw_only=True)
class _Failures:
    count: int = 0
    until: float = 0.0
    """No try before this moment."""


@dataclass(frozen=True, kw_only=True)
class Tries:
    """The failures of late: by name and address, by address alone, and by name alone."""

    now: Callable[[], float] = time.monotonic
    _failures: OrderedDict[Key, _Failures] = field(default_factory=OrderedDict)

    def begin(self, name: str, address: str) -> float:
        """Return the seconds to wait before a try, 0 if it may be made now; call `fail`, `succeed` or `cancel` then.

        The name's try counts as failed from its begin, so that many at once are not all free. The address's does not:
        a whole office may log in at the same moment.
        """
        pair, whole, person = _keys(name, address)
        wait = max(self._wait(pair), self._wait(whole), self._wait(person))
        if wait <= 0:
            self._count(pair, FREE_TRIES)
            self._count(person, FREE_TRIES_OF_NAME, WAIT_MOST_OF_NAME_SEC)
        return max(0.0, wait)

    def fail(self, address: str) -> None:
        """Count a wrong password against the address."""
        self._count(_keys("", address)[1], FREE_TRIES_OF_ADDRESS)

    def succeed(self, name: str, address: str) -> None:
        """Forget the name's failures: the password was right."""
        pair, _, person = _keys(name, address)
        self._failures.pop(pair, None)
        self._failures.pop(person, None)

    def cancel(self, name: str, address: str) -> None:
        """Take back what `begin` counted, since nothing was tried.

        Earlier failures stay: else whoever keeps the service busy would have as many tries as they like.
        """
        pair, _, person = _keys(name, address)
        for key in (pair, person):
            if found := self._failures.get(key):
                found.count, found.until = found.count - 1, self.now()

    def _wait(self, key: Key) -> float:
        found = self._failures.get(key)
        return found.until - self.now() if found else 0.0

    def _count(self, key: Key, free: int, most_sec: float = WAIT_MOST_SEC) -> None:
        found = self._failures.pop(key, None)
        if found is None or self.now() > found.until + WAIT_MOST_SEC:
            found = _Failures()
        found.count += 1
        over = found.count - free
        found.until = self.now() + (min(most_sec, 2.0 ** min(over, 30)) if over >= 0 else 0.0)
        self._failures[key] = found
        if len(self._failures) > COUNTED_MOST:
            self._failures.popitem(last=False)


def _keys(name: str, address: str) -> tuple[Key, Key, Key]:
    """Return what a try is counted under: the name at this address, the address, and the name."""
    whole = _network(address)
    return ("pair", whole, name), ("address", whole), ("name", name)


def _network(address: str) -> str:
    """Return the address, of IPv6 the half that one household or server has to itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
