"""A prefix in the S3 server that the store's credentials open, with one sub-prefix per category."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import PurePosixPath

from slac_tasks.collect.names import key_of
from slac_tasks.collect.sources.base import Candidate, Offer, Unreadable
from slac_tasks.errors import BrokenContract
from slac_tasks.given.words import printable
from slac_tasks.model import Window
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.store import checked


class BucketSource:
    """s3://bucket/prefix/<category>/...; its objects are undated."""

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        self.url = url.rstrip("/") + "/"
        self._store = open_store(url, environ)
        self._unplaced: list[Unreadable] = []

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        """Object names below the prefix, by sub-prefix; those below none are set aside."""
        found: dict[str, list[str]] = {}
        for name in self._store.names(""):
            folder, slash, _ = name.partition("/")
            # Consoles write an empty object whose name ends in a slash for each folder: it is no video.
            if name.endswith("/") or any(part.startswith(".") for part in name.split("/")):
                continue
            if slash:
                found.setdefault(folder, []).append(name)
            else:
                detail = "lies below no sub-prefix, want one per category"
                self._unplaced.append(Unreadable(item=printable(name), reason="no category", detail=detail))
        if not found:
            beside = f"; {self._unplaced[0]}" if self._unplaced else ""
            raise BrokenContract(f"source {self.url}: has no sub-prefix, want one of videos per category{beside}")
        return found

    def categories(self) -> list[str]:
        """Return the sub-prefixes' names."""
        return sorted(self._names)

    def unplaced(self) -> Sequence[Unreadable]:
        """Return the objects that lie beside the sub-prefixes."""
        self.categories()
        return self._unplaced

    def candidates(self, category: str, window: Window) -> Iterator[Offer]:
        """Yield every object below the category's sub-prefix; hidden ones and markers of folders are skipped."""
        for folder in self.categories():
            if key_of(folder) == category:
                for name in sorted(self._names[folder]):
                    yield self._offer(name)

    def _offer(self, name: str) -> Offer:
        try:
            checked(name)
            return Candidate(source=self.url, source_id=name, location=self.url + name, title=PurePosixPath(name).stem)
        except (BrokenContract, ValueError) as error:
            return Unreadable(item=printable(name), reason="bad name", detail=str(error))
