"""Where the bytes of a video are: one class for each kind of place, found by what stands before `://`.

To add a kind: a class with the members of `Location`, and its line in `SCHEMES`. Manifests, `fetch`, `recheck`,
withdrawals and exclusions need no change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from slac_tasks.collect.downloads import files
from slac_tasks.collect.downloads.reasons import NOT_CONFIGURED, Unfetched
from slac_tasks.collect.downloads.web import Web, host_of, open_web, probe
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.store import S3_VARIABLES, Store

_PRESIGNED_SEC = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class Access:
    """What locations are opened with: limits, the network, and the buckets that the credentials open."""

    collect: Collect
    fetch: Fetch
    environ: Mapping[str, str] = field(repr=False)
    buckets: dict[str, Store] = field(default_factory=dict, repr=False)

    @cached_property
    def web(self) -> Web:
        """The network, with the budgets of this process."""
        return open_web(self.collect, self.fetch, self.environ)


class Opened(NamedTuple):
    """A local file with all bytes of a video."""

    path: Path
    resumed: bool = False
    """It was put together from the downloads of several tries."""


class Location(Protocol):
    """A place that holds the bytes of one video."""

    @property
    def address(self) -> str:
        """The place as a person writes it: what takedowns and lists of other benchmarks name."""

    @property
    def host(self) -> str:
        """Host and port whose budget a request takes from; empty where no stranger's host is asked."""

    def probe(self, access: Access) -> None:
        """Ask whether the bytes are there, without reading them.

        Raises:
            Unfetched: they could not be fetched now.

        """

    def open(self, access: Access, folder: Path) -> Opened:
        """Return a local file with the bytes; a download is written to `folder`/original.

        Raises:
            Unfetched: they could not be fetched; what was downloaded is left for the next try.

        """


@dataclass(frozen=True)
class Url:
    """A file behind http(s)."""

    address: str

    @property
    def host(self) -> str:
        """Its host and port."""
        return host_of(self.address)

    def probe(self, access: Access) -> None:
        """Ask for the first byte."""
        probe(access.web, self.address)

    def open(self, access: Access, folder: Path) -> Opened:
        """Download the file."""
        return _download(access, self.address, folder, name=self.address)


PAGE = "yt-dlp+"
"""Stands before the address of a page of a video site, which is not the video itself."""


@dataclass(frozen=True)
class Page:
    """The page of a video on a site that yt-dlp knows."""

    address: str
    """Of the page, http(s)."""

    @property
    def host(self) -> str:
        """Host and port of the page; the bytes may come from another."""
        return host_of(self.address)

    def probe(self, access: Access) -> None:
        """Ask the site for the video, and its server for the first byte."""
        about = self._about(access)
        probe(access.web, str(about["url"]), headers=_headers(about))

    def open(self, access: Access, folder: Path) -> Opened:
        """Download the video that the page shows."""
        about, longest = self._about(access), access.collect.max_duration_sec
        duration = about.get("duration")
        if isinstance(duration, int | float) and duration > longest:
            raise Unfetched("too long", f"{duration:.0f} s, want at most {longest} s")
        # The address of the bytes changes from try to try; the page's does not.
        return _download(access, str(about["url"]), folder, name=PAGE + self.address, headers=_headers(about))

    def _about(self, access: Access) -> dict[str, Any]:
        # The library takes a third of a second to load, and not every project needs it.
        from slac_tasks.collect.downloads.sites import about

        return about(access.web, self.address)


@dataclass(frozen=True)
class S3Object:
    """An object in the S3 server that the store's credentials open."""

    address: str

    @property
    def host(self) -> str:
        """None: it is the platform's own server."""
        return ""

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.address.removeprefix("s3://").partition("/")[0]

    @property
    def name(self) -> str:
        """The object's name in its bucket."""
        return self.address.removeprefix("s3://").partition("/")[2]

    def probe(self, access: Access) -> None:
        """Ask the server for the object."""
        if not self._named(access, lambda store, name: store.exists(name)):
            raise Unfetched("gone", f"{self.address}: no such object")

    def open(self, access: Access, folder: Path) -> Opened:
        """Download the object."""
        url = self._named(access, lambda store, name: store.presign(name, _PRESIGNED_SEC))
        if url is None:
            raise NotConfigured(f"{self.address}: has no address")
        return _download(access, url, folder, name=self.address, trusted=True)

    def _named(self, access: Access, ask: Callable[[Store, str], Any]) -> Any:
        """Ask the bucket about the object; a bad name of either is this video's own failure."""
        if not (self.bucket and self.name):
            raise Unfetched("bad address", f"{self.address}: want s3://bucket/object")
        try:
            if self.bucket not in access.buckets:
                access.buckets[self.bucket] = open_store(f"s3://{self.bucket}", access.environ)
            return ask(access.buckets[self.bucket], self.name)
        except BrokenContract as error:
            raise Unfetched("bad address", str(error)) from error
        except NotConfigured as error:
            is_set = all(access.environ.get(name) for name in S3_VARIABLES)
            raise Unfetched("refused address" if is_set else NOT_CONFIGURED, str(error), retryable=True) from error


@dataclass(frozen=True)
class File:
    """A file of this machine."""

    address: str
    folder: Path | None = None
    """Where it must lie, links followed; none: anywhere."""

    @property
    def host(self) -> str:
        """None."""
        return ""

    def probe(self, access: Access) -> None:
        """Look whether the file is there."""
        try:
            self._path()
        except OSError as error:
            raise Unfetched("unreadable", str(error), retryable=True) from error

    def open(self, access: Access, folder: Path) -> Opened:
        """Return the file itself, unread: one that is too large is refused as a download of it would be."""
        path = self._path()
        files.check_size(path.stat().st_size, access.collect.max_size_bytes)
        return Opened(path)

    def _path(self) -> Path:
        path = Path(self.address)
        if self.folder is not None and not is_below(path, self.folder):
            raise Unfetched("refused address", f"{path.name}: leads out of the source's folder")
        if not path.is_file():
            raise Unfetched("gone", f"{path}: no such file")
        return path


SCHEMES: Mapping[str, Callable[[str], Location]] = {
    "http": Url,
    "https": Url,
    "s3": S3Object,
    f"{PAGE}http": lambda location: Page(location.removeprefix(PAGE)),
    f"{PAGE}https": lambda location: Page(location.removeprefix(PAGE)),
}
"""How a location is read, by what stands before its `://`; one without is a file."""

MANIFESTS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet")
"""Endings of manifests, in whatever case. The files that one names lie in its own folder, those of a folder in it."""


def is_below(path: Path, folder: Path) -> bool:
    """Return whether a file lies in a folder, links followed."""
    try:
        found = path.resolve(strict=True)
    except FileNotFoundError:
        found = path.resolve()
    except (OSError, RuntimeError):  # links that lead to each other; which error depends on Python's version
        return False
    return found.is_relative_to(folder.resolve())


def is_remote(location: str) -> bool:
    """Return whether a location is in one of the `SCHEMES`, in whatever case, and so is no path."""
    scheme, found, _ = location.partition("://")
    return bool(found) and scheme.lower() in SCHEMES


def parse(location: str, source: str = "") -> Location:
    """Read a location as candidates hold it; `source` is the source that named it."""
    if is_remote(location):
        scheme, _, rest = location.partition("://")
        return SCHEMES[scheme.lower()](f"{scheme.lower()}://{rest}")
    place = Path(source)
    return File(location, (place.parent if place.suffix.lower() in MANIFESTS else place) if source else None)


def address_of(name: str) -> str:
    """Return a name of a video as a person writes it; one that is no location is returned as it is."""
    return parse(name).address


def _headers(about: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the headers without which a site's server may refuse a video."""
    return dict(about.get("http_headers") or {})


def _download(
    access: Access,
    url: str,
    folder: Path,
    *,
    name: str,
    headers: Mapping[str, str] | None = None,
    trusted: bool = False,
) -> Opened:
    target = folder / "original"
    resumed = target.exists()
    files.download(
        access.web, url, target, name=name, max_bytes=access.collect.max_size_bytes, headers=headers, trusted=trusted
    )
    return Opened(target, resumed)
