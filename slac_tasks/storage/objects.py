"""Opens stores by their address, and what every user of one needs. The one owner of object storage.

A store is what `slac_tasks.storage.store` says: a folder (`folder`), or part of a bucket of any S3 (`s3`).
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from slac_tasks.errors import NotConfigured
from slac_tasks.given.folders import path_of
from slac_tasks.given.words import without_user
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.store import Store

LOCALIZERS = "localizers"
"""Folder of the heads that find segments: made when they are wanted, so no dataset names them."""


def open_store(url: str, environ: Mapping[str, str] = os.environ, *, writes: bool = False) -> Store:
    """Open the store at `url`: a folder (`~` is the home folder), `file:///folder`, or `s3://bucket/prefix`.

    Args:
        url: its address.
        environ: where the keys of a bucket are.
        writes: whether a folder must be writable; a bucket says it when it is written to.

    Raises:
        NotConfigured: the address has another form, or no store is there.

    """
    scheme, _, rest = url.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme.lower() == "s3" and bucket and "@" not in bucket:
        from slac_tasks.storage.s3 import S3Store

        return S3Store(bucket, prefix, environ)
    if scheme.lower() == "file" and rest.startswith("/"):
        return FolderStore(Path(unquote(rest)), writes=writes)
    if url and ":" not in url.partition("/")[0]:
        return FolderStore(path_of(url), writes=writes)
    raise NotConfigured(f"store {without_user(url)!r}: want a folder, file:///folder or s3://bucket/prefix")


@dataclass(frozen=True)
class Media:
    """Hands out local paths of a store's objects, in this process or in one that this object is sent to."""

    url: str
    environ: Mapping[str, str] = field(repr=False)

    def __call__(self, name: str) -> Any:
        """Return a context manager: a local path with the bytes of `name`, valid inside the block."""
        return self.store.local(name)

    @cached_property
    def store(self) -> Store:
        """The store, opened in the process that asks for it."""
        return open_store(self.url, self.environ)

    def __reduce__(self) -> Any:
        # A connection cannot be sent; the other process makes its own.
        return Media, (self.url, dict(self.environ))


@dataclass(frozen=True)
class Folder:
    """Writes objects below one name, in this process or in one that this object is sent to."""

    media: Media
    name: str

    def __call__(self, name: str, data: bytes) -> None:
        """Write `data` under a name in it, replacing what is there."""
        self.media.store.put(f"{self.name}/{name}", data)


def put_by_content(store: Store, folder: str, suffix: str, data: bytes) -> str:
    """Write `data` under a name made of its SHA-256 and return the first 16 hex digits of the hash."""
    digest = hashlib.sha256(data).hexdigest()[:16]
    name = f"{folder}/{digest}{suffix}"
    # Written again where it is there already: what was written lately is in use, see `slac_tasks.garbage`.
    store.put(name, data)
    return digest
