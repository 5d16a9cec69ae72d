"""Why an address gave no bytes: a short stable reason, and whether a later try may go better."""


class Unfetched(Exception):
    """An address that gave no bytes; `reason` is a short stable string."""

    def __init__(self, reason: str, detail: str = "", *, retryable: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail, self.retryable = reason, detail, retryable


NOT_CONFIGURED = "not configured"
"""The reason of a video whose place needs what this machine lacks: other places' videos are fetched."""

_FINAL = {401: "private", 403: "private", 404: "gone", 407: "private", 410: "gone", 451: "region"}
BUSY = (429, 503)
"""Answers by which a server asks for fewer requests."""


def of_status(status: int) -> Unfetched:
    """Return what an answer with this status means for the one who asked."""
    if status == 429:
        return Unfetched("rate-limited", "status 429", retryable=True)
    # RFC 9110, 15: a status outside of 100 to 599 is an error of the server as well.
    if status >= 500 or status in (408, 425):
        return Unfetched("server error", f"status {status}", retryable=True)
    return Unfetched(_FINAL.get(status, "refused"), f"status {status}")
