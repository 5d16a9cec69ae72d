"""What a store is: named bytes. `folder` and `s3` are the two that there are; `objects` opens them.

Names are relative paths with `/`. Every write is atomic: a name holds all of its bytes or does not exist. Names are
written once; only `current.json` pointers are ever replaced. Whatever fails in a store is one of our errors, which
names the store: in `folder` a failure of the file system becomes one, in `s3` an answer of the server.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from slac_tasks.errors import BrokenContract

AUTHORITY = "SLAC_S3_CA"
"""The variable that holds certificates of a private authority in PEM, which are trusted for the S3 server alone."""
S3_VARIABLES = ("SLAC_S3_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
"""The variables without which no S3 server is known."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a listing says of an object."""

    name: str
    size_bytes: int
    written_at: datetime


class Store(Protocol):
    """Named bytes.

    Any call may raise `NotMade` for a name that does not exist, `Temporary` where the store is full or out of reach,
    `NotConfigured` where it may not be read or written or is no store, and `BrokenContract` for a name that it cannot
    hold.
    """

    url: str

    def put(self, name: str, data: bytes) -> None:
        """Write `data` under `name`, replacing what is there."""

    def put_file(self, name: str, path: Path) -> None:
        """Write the bytes of the file at `path` under `name`."""

    def create(self, name: str, data: bytes) -> bool:
        """Write `data` under `name` unless the name exists; return whether this call wrote it."""

    def get(self, name: str) -> bytes:
        """Return the bytes of `name`."""

    def exists(self, name: str) -> bool:
        """Return whether `name` holds bytes."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield all names that start with `prefix`, in order."""

    def objects(self, prefix: str) -> Iterator[Stored]:
        """Yield what is known of all names that start with `prefix`, in order, without their bytes."""

    def unfinished(self) -> Iterator[Stored]:
        """Yield what writers that were killed have left behind; no listing shows it."""

    def delete(self, name: str) -> None:
        """Remove `name`; a name that does not exist is no error."""

    def local(self, name: str) -> Any:
        """Context manager: a local path with the bytes of `name`, valid inside the block."""

    def presign(self, name: str, seconds: int) -> str | None:
        """Return an address that hands out `name` for that long, or None where files have no address."""


def checked(name: str) -> str:
    """Return `name` if it stays inside the store: no absolute path, no `..`, no empty part."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\x00" in name or "\\" in name:
        raise BrokenContract(f"object name {name!r}: leaves the store, want relative parts without '..'")
    return name
