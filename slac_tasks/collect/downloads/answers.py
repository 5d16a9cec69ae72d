"""The one door for what a stranger's server says: it becomes numbers, moments, addresses and bytes, or a reason.

No other module reads a header. A header that decides what the bytes are (Location, Content-Length, Content-Range,
Content-Encoding) is a reason where it cannot be read. A header that only helps (Retry-After, ETag, Last-Modified)
counts as absent where it cannot be read. Rules: RFC 9110.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin

import urllib3

from slac_tasks.collect.downloads.reasons import Unfetched

_CHUNK = 1 << 18
_DIGITS = r"([0-9]{1,18})"
"""A number of bytes. One with more digits is no size of a file, and Python refuses to read very long ones."""
_SIZE = re.compile(_DIGITS)
_PART = re.compile(rf"bytes {_DIGITS}-{_DIGITS}/(?:{_DIGITS}|\*)", re.IGNORECASE)
_UNMET = re.compile(rf"bytes \*/{_DIGITS}", re.IGNORECASE)
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]{1,500}"|(?!W/)[\x21\x23-\x7e]{1,500}')
"""A strong ETag, also one whose server forgot the quotes."""
_NO_PACKING = frozenset({"", "identity", "none", "binary", "8bit", "utf-8", "aws-chunked"})
"""Content-Encodings that change no byte; all but the second are mistakes that servers are known to make."""
_LONGEST_DATE = 64
_LONGEST_PAUSE_SEC = 366 * 86_400.0
_REDIRECTS = (301, 302, 303, 307, 308)
_SHOWN = 100
"""Characters of a stranger's text that a message repeats."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """The bytes of a file that an answer holds."""

    first: int
    last: int
    """The last byte, included."""
    whole: int | None
    """Bytes of the whole file; None where the server does not say."""


class Answer:
    """A server's answer; its bytes are read as they come and never unpacked, so a small answer cannot grow."""

    def __init__(self, response: urllib3.BaseHTTPResponse, url: str, late: threading.Event) -> None:
        self.status, self.url = response.status, url
        self.headers: Mapping[str, str] = response.headers
        """As the server wrote them."""
        self._response, self._late = response, late

    def read(self, most: int = _CHUNK) -> bytes:
        """Return the next bytes, at most so many; empty at the end.

        Raises:
            Unfetched: the bytes are packed, the connection broke, ended before the promised length, or took too long.

        """
        self._refuse_packed()
        try:
            data: bytes = self._response.read1(most, decode_content=False)
        except Exception as error:
            raise failure(error, self._late) from error
        if not data and self._late.is_set():
            raise failure(TimeoutError(), self._late)
        return data

    def _refuse_packed(self) -> None:
        """Refuse bytes in an encoding that nobody asked for: they are not the bytes of the file."""
        for word in self._text("Content-Encoding").lower().split(","):
            if word.strip() not in _NO_PACKING:
                raise Unfetched("packed", f"{self._said('Content-Encoding')}, want none")

    @property
    def size(self) -> int | None:
        """How many bytes the answer holds; None where the server does not say.

        Raises:
            Unfetched: what it says is no number.

        """
        # RFC 9110, 8.6: one number that is repeated stands for itself.
        found = {word.strip() for word in self._text("Content-Length").split(",")}
        if found == {""}:
            return None
        if len(found) > 1 or not (number := _SIZE.fullmatch(found.pop())):
            raise self._unreadable("Content-Length", "one number")
        return int(number[1])

    @property
    def part(self) -> Part:
        """Which bytes of the file an answer of status 206 holds.

        Raises:
            Unfetched: it does not say, or says what cannot be.

        """
        found = _PART.fullmatch(self._text("Content-Range"))
        if found:
            first, last = int(found[1]), int(found[2])
            part = Part(first=first, last=last, whole=int(found[3]) if found[3] else None)
            if first <= last and (part.whole is None or last < part.whole):
                return part
        raise self._unreadable("Content-Range", "bytes <first>-<last>/<whole>")

    @property
    def whole_size(self) -> int | None:
        """How many bytes the file has, of which none was in the range that was asked for; None: it does not say."""
        found = _UNMET.fullmatch(self._text("Content-Range"))
        return int(found[1]) if found else None

    @property
    def following(self) -> str | None:
        """The address that a redirect names; None for any other answer. It is not checked yet.

        Raises:
            Unfetched: what the redirect names is no address.

        """
        text = self._text("Location")
        if self.status not in _REDIRECTS or not text:
            return None
        # Headers are read as Latin-1. A server that writes other letters writes UTF-8.
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            pass
        try:
            return urljoin(self.url, text)
        except ValueError as error:
            raise Unfetched("bad address", f"{self._said('Location')}: {error}") from error

    @property
    def pause_sec(self) -> float | None:
        """How many seconds the server asks to wait, at most a year; None where it does not say."""
        text = self._text("Retry-After")
        if text.isascii() and text.isdigit():
            # Nobody waits longer than 9 digits of seconds.
            return min(float(text[:10]), _LONGEST_PAUSE_SEC)
        moment = _moment(text)
        if moment is None:
            return None
        return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), _LONGEST_PAUSE_SEC)

    @property
    def validator(self) -> str:
        """What names exactly these bytes: a strong ETag, or a date of change that is not ambiguous; else empty."""
        tag = self._text("ETag")
        if tag:
            return tag if _STRONG_TAG.fullmatch(tag) else ""
        changed, now = _moment(self._text("Last-Modified")), _moment(self._text("Date"))
        # RFC 9110, 8.8.2.2: a date is strong if the bytes have been the same for at least a second.
        if changed and now and (now - changed).total_seconds() >= 1:
            return self._text("Last-Modified")
        return ""

    def _text(self, name: str) -> str:
        return self.headers.get(name, "").strip(" \t\r\n")

    def _said(self, name: str) -> str:
        return f"{name} is {self._text(name)[:_SHOWN]!a}"

    def _unreadable(self, name: str, wanted: str) -> Unfetched:
        # The server may be mended, and another one may answer for the same name.
        return Unfetched("bad answer", f"{self._said(name)}, want {wanted}", retryable=True)


def _moment(text: str) -> datetime | None:
    """Read a date of a header; None for anything else."""
    if len(text) > _LONGEST_DATE or not text.isascii() or not text.isprintable():
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def failure(error: Exception, late: threading.Event) -> Unfetched:
    """Return what it means that no answer, or not all of it, came.

    Any error of the libraries that speak HTTP is the answer's fault: they were given nothing but what it holds.
    """
    if late.is_set():
        return Unfetched("too slow", "the time for one request ran out", retryable=True)
    chain: list[object] = [error, *error.args, error.__cause__, error.__context__]
    if any(isinstance(one, urllib3.exceptions.IncompleteRead) for one in chain):
        return Unfetched("wrong length", "ended before the promised length", retryable=True)
    return Unfetched("network", type(error).__name__, retryable=True)
