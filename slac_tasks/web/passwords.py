"""Passwords at rest: scrypt with a salt of its own for each person, from the standard library."""

import asyncio
import hashlib
import hmac
import os
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from slac_tasks.errors import Temporary

MIN_LENGTH = 10
"""A shorter password is refused when the account is made."""

_COST = {"n": 2**14, "r": 8, "p": 1}

Checked = TypeVar("Checked")


class Turn:
    """One thread in which passwords are checked, one after the other.

    A check takes 16 MB and some 40 ms of a processor. In the threads that answer every other request, a flood of logins
    would leave none of them; here it only makes logins wait. The thread yields the processor to everything else.
    """

    WAITING_MOST = 200
    """Checks that may wait for their turn: eight seconds of work."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords", initializer=_yield)
        self._waiting = 0

    async def check(self, work: Callable[[], Checked]) -> Checked:
        """Run a check when its turn comes.

        Raises:
            Temporary: too many wait already.

        """
        if self._waiting >= self.WAITING_MOST:
            raise Temporary(f"login: {self._waiting} checks of passwords wait, want fewer than {self.WAITING_MOST}")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def _yield() -> None:
    """Lower the priority of this thread, where the system has priorities of threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def seal(password: str) -> str:
    """Return what is kept of a password: its method, its cost, a fresh salt and the hash."""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", *map(str, _COST.values()), salt.hex(), _hash(password, salt, _COST).hex()))


def matches(password: str, sealed: str | None) -> bool:
    """Return whether this is the sealed password. As slow for nobody (None) as for a wrong one."""
    method, n, r, p, salt, want = (sealed or _NOBODY).split("$")
    if method != "scrypt":
        return False
    found = _hash(password, bytes.fromhex(salt), {"n": int(n), "r": int(r), "p": int(p)})
    return hmac.compare_digest(found, bytes.fromhex(want)) and sealed is not None


def _hash(password: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **cost, maxmem=2**26)


_NOBODY = seal("nobody has this password")
