"""Passwords at rest: scrypt with a salt of its own for each person, from the standard library."""

import hashlib
import hmac
import secrets
import threading

MIN_LENGTH = 10
"""A shorter password is refused when the account is made."""

_COST = {"n": 2**14, "r": 8, "p": 1}
# One check takes 16 MB and some 40 ms of a processor: many logins at once must not take every processor from the rest.
_ONE_AT_A_TIME = threading.Semaphore(1)


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
    with _ONE_AT_A_TIME:
        return hashlib.scrypt(password.encode(), salt=salt, **cost, maxmem=2**26)


_NOBODY = seal("nobody has this password")
