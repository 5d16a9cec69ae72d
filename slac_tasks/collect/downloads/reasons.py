"""Why an address gave no bytes: a short stable reason, and whether a later try may go better."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


class Unfetched(Exception):
    """An address that gave no bytes; `reason` is a short stable string."""

    def __init__(self, reason: str, detail: str = "", *, retryable: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail, self.retryable = reason, detail, retryable


_FINAL = {401: "private", 403: "private", 404: "gone", 407: "private", 410: "gone", 451: "region"}
BUSY = (429, 503)
"""Answers by which a server asks for fewer requests."""


def of_status(status: int) -> Unfetched:
    """Return what an answer with this status means for the one who asked."""
    if status == 429:
        return Unfetched("rate-limited", "status 429", retryable=True)
    if status >= 500 or status in (408, 425):
        return Unfetched("server error", f"status {status}", retryable=True)
    return Unfetched(_FINAL.get(status, "refused"), f"status {status}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds the server asks to wait (RFC 9110, 10.2.3), None where it does not say."""
    value = headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
