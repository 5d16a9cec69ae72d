"""Sessions of people who are logged in: what their cookie holds, and which of them are open.

The cookie is signed, so a stranger's is refused without a question to the ledger. The ledger holds the sessions that
are open, so a logout ends one for good.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Protocol

from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.text import is_plain

TEXT_MOST = 512
"""Most characters of a cookie that may be a session's."""


class Malformed(ValueError):
    """A cookie that no service of this kind has ever set."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """One login of one person."""

    name: str
    ends: int
    """Seconds of the epoch."""
    mark: str
    """Of the sealed password: a new password ends the session."""
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    def text(self, secret: bytes) -> str:
        """Return the cookie's value."""
        return f"{self.name.encode().hex()}.{self.ends}.{self.mark}.{self.id}.{self._sign(secret)}"

    def _sign(self, secret: bytes) -> str:
        signed = "\x1f".join(("session", self.name, str(self.ends), self.mark, self.id))
        return hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()

    @classmethod
    def read(cls, text: str, secret: bytes) -> "Session | None":
        """Return the session that a cookie names; None when it was not signed here.

        Raises:
            Malformed: it is not even formed like one.

        """
        if len(text) > TEXT_MOST or not text.isascii():
            raise Malformed
        encoded, *others = text.split(".")
        try:
            name = bytes.fromhex(encoded).decode()
            numbers = [int(part, 16) for part in others]
        except ValueError as error:
            raise Malformed from error
        if not name or not is_plain(name) or not numbers:
            raise Malformed
        if len(others) != 4 or not others[0].isdecimal():
            return None
        ends, mark, session, signature = others
        found = cls(name=name, ends=int(ends), mark=mark, id=session)
        return found if hmac.compare_digest(found._sign(secret), signature) else None


class OpenSessions(Protocol):
    """Which sessions are open: a session that was ended, or is over, is never open again."""

    def begin(self, session: Session) -> None:
        """Open a session."""

    def is_open(self, session: Session) -> bool:
        """Return whether the session is open."""

    def end(self, session: Session) -> None:
        """End a session for good; one that is not open stays so."""


class OwnSessions:
    """The sessions of one process: they end with it."""

    def __init__(self) -> None:
        self._open: set[str] = set()

    def begin(self, session: Session) -> None:
        """Open a session."""
        self._open.add(session.id)

    def is_open(self, session: Session) -> bool:
        """Return whether the session is open."""
        return session.id in self._open

    def end(self, session: Session) -> None:
        """End a session for good."""
        self._open.discard(session.id)


class LedgerSessions:
    """The sessions of all processes of a service, as rows of the ledger."""

    def __init__(self, ledgers: Ledgers) -> None:
        self._ledgers = ledgers

    def begin(self, session: Session) -> None:
        """Open a session, and forget all that are over."""
        with self._ledgers.borrow() as ledger:
            ledger.run("begin_session", session=session.id, annotator=session.name, ends=session.ends)

    def is_open(self, session: Session) -> bool:
        """Return whether the session is open."""
        with self._ledgers.borrow() as ledger:
            return ledger.one("open_session", session=session.id, annotator=session.name) is not None

    def end(self, session: Session) -> None:
        """End a session for good."""
        with self._ledgers.borrow() as ledger:
            ledger.run("end_session", session=session.id)
