"""How a clip's bytes reach a browser: an address that works for one person, for a few minutes.

Where the store can sign addresses itself (any S3), the browser reads from the store. A local folder has no address,
so this service hands out the file under an address signed with its own secret: it names the object, the person and
the time at which it ends, and the person must be logged in as well.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from slac_tasks.errors import NotMade
from slac_tasks.storage.store import Store


@dataclass(frozen=True, kw_only=True)
class Media:
    """Signs addresses of objects and checks them."""

    store: Store
    secret: bytes
    """Key of the signatures; the same in every process of one service."""
    seconds: int = 600
    """How long an address works."""
    now: Callable[[], float] = time.time

    def address(self, name: str, person: str) -> str:
        """Return where `person` can read the object, relative to the pages or in the store."""
        presigned = self.store.presign(name, self.seconds)
        if presigned is not None:
            return presigned
        ends = int(self.now()) + self.seconds
        query = urlencode({"ends": ends, "signature": self._sign(name, person, ends)})
        return f"objects/{quote(name)}?{query}"

    def check(self, name: str, person: str, ends: int, signature: str) -> None:
        """Pass if the address was made here for this person and has not ended.

        Raises:
            NotMade: it was not, or has; the two are not told apart.

        """
        good = hmac.compare_digest(self._sign(name, person, ends).encode(), signature.encode())
        if not good or self.now() >= ends:
            raise NotMade("this address was not made for you, or has ended")

    def origin(self) -> str | None:
        """Return the origin from which browsers read objects, or None where it is this service."""
        address = self.store.presign("origin", 1)
        if address is None:
            return None
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.netloc}"

    def _sign(self, name: str, person: str, ends: int) -> str:
        return hmac.new(
            self.secret, "\x1f".join(("object", name, person, str(ends))).encode(), hashlib.sha256
        ).hexdigest()
