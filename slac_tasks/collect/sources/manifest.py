"""A csv, jsonl or parquet manifest of paths, URLs and object keys."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from slac_tasks.collect.locations import is_below, is_remote
from slac_tasks.collect.names import key_of
from slac_tasks.collect.sources.base import Candidate, Offer, Unreadable
from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.given import cells, tables
from slac_tasks.given.words import fault_of, printable
from slac_tasks.model import Window

_WANTED = ("category", "location")
_LICENCE = ("licence", "license")
_KNOWN = ("category", "location", "source_id", "title", *_LICENCE, "published_at", "sha256")

Record = Mapping[str, Any]


class ManifestSource:
    """A table: category, location, and optionally source_id, title, licence or license, published_at and sha256.

    A line that is none of such a table is set aside, and so is one whose values are wrong or whose category gets no
    key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys: dict[str, str | None] = {}
        self._unplaced: list[Unreadable] = []
        self._offers: dict[str, list[tuple[int, Offer]]] = {}
        try:
            for line in tables.lines(path, "manifest", needed=_WANTED, known=_KNOWN):
                self._read(line)
        except OSError as error:
            raise NotConfigured(f"manifest {path}: cannot be read: {error.strerror}") from error
        if not self._keys:
            first = str(self._unplaced[0]) if self._unplaced else "is empty"
            raise BrokenContract(f"manifest {path}: {first}, want at least one video")

    def _read(self, line: tables.Line) -> None:
        """Put a line under its category, or aside."""
        try:
            name = line.fault or _text(line.cells, "category") or ""
        except ValueError as error:
            self._unplaced.append(self._bad(line.number, str(error)))
            return
        if line.fault or not name.strip():
            self._unplaced.append(self._bad(line.number, line.fault or "category is missing or blank, want a name"))
            return
        if name not in self._keys:
            self._keys[name] = key_of(name)
        if key := self._keys[name]:
            self._offers.setdefault(key, []).append((line.number, self._offer(line)))

    def _offer(self, line: tables.Line) -> Offer:
        try:
            return self._candidate(line.cells)
        except ValueError as error:
            return self._bad(line.number, str(error))

    def _bad(self, line: int, detail: str) -> Unreadable:
        return Unreadable(item=f"{self.path.name} line {line}", reason="bad entry", detail=detail)

    def _candidate(self, record: Record) -> Candidate:
        """Return the video of a line; a value that is wrong raises ValueError."""
        location = _text(record, "location")
        if not location:
            raise ValueError("location is missing or empty")
        if fault := fault_of(location):
            raise ValueError(f"location '{printable(location)[:200]}' {fault}")
        sha256 = (_text(record, "sha256") or "").lower()
        if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise ValueError(f"sha256 is {sha256!r}, want 64 hex digits")
        try:
            published_at = cells.moment(record.get("published_at"), zone=False)
        except cells.Unclear as error:
            raise ValueError(f"published_at {error}") from error
        return Candidate(
            source=str(self.path),
            source_id=_text(record, "source_id") or location,
            location=place_of(self.path, location),
            title=_text(record, "title") or None,
            licence=_licence(record),
            published_at=published_at,
            sha256=sha256 or None,
        )

    def categories(self) -> list[str]:
        """Return the categories in the order in which the manifest names them first."""
        return list(self._keys)

    def unplaced(self) -> Sequence[Unreadable]:
        """Return the lines without a category."""
        return self._unplaced

    def candidates(self, category: str, window: Window) -> Iterator[Offer]:
        """Yield the category's lines in order.

        A line that repeats an id is the same video, and yields nothing; with another location it is set aside, since
        the id may be either's.
        """
        first: dict[str, tuple[int, Candidate]] = {}
        for line, offer in self._offers.get(category, ()):
            if isinstance(offer, Unreadable):
                yield offer
                continue
            before, known = first.setdefault(offer.source_id, (line, offer))
            if known is offer:
                yield offer
            elif known.location != offer.location:
                detail = f"source_id {offer.source_id[:60]!r} is that of line {before}, with another location"
                yield self._bad(line, detail)


def place_of(manifest: Path, location: str) -> str:
    """Return a location as candidates hold it: an address, or the path of a file in the manifest's own folder.

    Raises:
        ValueError: it is neither.

    """
    if is_remote(location):
        return location
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", location):
        raise ValueError(f"location is {location[:200]!r}, want a path, http(s):// or s3://")
    path = (manifest.parent / location).absolute()
    if not is_below(path, manifest.parent):
        raise ValueError(f"location is {location[:200]!r}, want a path inside the manifest's folder")
    return str(path)


def _text(record: Record, name: str) -> str | None:
    try:
        return cells.text(record.get(name))
    except cells.Unclear as error:
        raise ValueError(f"{name} {error}") from error


def _licence(record: Record) -> str | None:
    found = {name: word for name in _LICENCE if (word := _text(record, name))}
    if len(set(found.values())) > 1:
        raise ValueError(" and ".join(f"{name} is {word[:60]!r}" for name, word in found.items()) + ", want one")
    return next(iter(found.values()), None)
