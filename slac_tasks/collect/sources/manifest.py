"""A csv, jsonl or parquet manifest of paths, URLs and object keys."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from slac_tasks.collect.locations import is_below, is_remote
from slac_tasks.collect.names import key_of
from slac_tasks.collect.sources.base import Candidate, Offer, Unreadable, moment
from slac_tasks.errors import BrokenContract
from slac_tasks.model import Window

_WANTED = ("category", "location")
_TEXTS = ("category", "location", "source_id", "title", "licence", "published_at", "sha256")

Record = Mapping[str, Any]


class ManifestSource:
    """A table: category, location, and optionally source_id, title, licence, published_at and sha256.

    A line that is no line of such a table ends the reading: the file is not what it is taken for. A line whose values
    are wrong is set aside, and so is one whose category gets no key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys: dict[str, str | None] = {}
        self._unplaced: list[Unreadable] = []
        self._offers: dict[str, list[Offer]] = {}
        for line, record in _records(path):
            name = record.get("category")
            if not isinstance(name, str) or not name.strip():
                self._unplaced.append(self._bad(line, f"category is {name!r}, want a name"))
                continue
            if name not in self._keys:
                self._keys[name] = key_of(name)
            if key := self._keys[name]:
                self._offers.setdefault(key, []).append(self._offer(line, record))
        if not self._keys:
            first = str(self._unplaced[0]) if self._unplaced else "is empty"
            raise BrokenContract(f"manifest {path}: {first}, want at least one video")

    def _offer(self, line: int, record: Record) -> Offer:
        try:
            return self._candidate(record)
        except ValueError as error:
            return self._bad(line, str(error))

    def _bad(self, line: int, detail: str) -> Unreadable:
        return Unreadable(item=f"{self.path.name} line {line}", reason="bad entry", detail=detail)

    def _candidate(self, record: Record) -> Candidate:
        """Return the video of a line; a value that is wrong raises ValueError."""
        for name in _TEXTS:
            value = record.get(name)
            if value is not None and not isinstance(value, str):
                raise ValueError(f"{name} is {value!r}, want text")
        location = record.get("location")
        if not location:
            raise ValueError("location is missing or empty")
        sha256 = (record.get("sha256") or "").lower()
        if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise ValueError(f"sha256 is {sha256!r}, want 64 hex digits")
        published = record.get("published_at")
        return Candidate(
            source=str(self.path),
            source_id=record.get("source_id") or location,
            location=location if is_remote(location) else self._file(location),
            title=record.get("title") or None,
            licence=record.get("licence") or None,
            published_at=moment(published) if published else None,
            sha256=sha256 or None,
        )

    def _file(self, location: str) -> str:
        """Return the path of a file, which must lie in the manifest's own folder."""
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", location) or "\x00" in location:
            raise ValueError(f"location is {location[:200]!r}, want a path, http(s):// or s3://")
        path = (self.path.parent / location).absolute()
        if not is_below(path, self.path.parent):
            raise ValueError(f"location is {location[:200]!r}, want a path inside the manifest's folder")
        return str(path)

    def categories(self) -> list[str]:
        """Return the categories in the order in which the manifest names them first."""
        return list(self._keys)

    def unplaced(self) -> Sequence[Unreadable]:
        """Return the lines without a category."""
        return self._unplaced

    def candidates(self, category: str, window: Window) -> Iterator[Offer]:
        """Yield the category's lines in order; a line that repeats an id is the same video."""
        seen: set[str] = set()
        for offer in self._offers.get(category, ()):
            key = offer.item if isinstance(offer, Unreadable) else offer.source_id
            if key not in seen:
                seen.add(key)
                yield offer


def _records(path: Path) -> Iterator[tuple[int, Record]]:
    if path.suffix == ".parquet":
        yield from _parquet(path)
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenContract(f"manifest {path}: is no text, want csv or jsonl in UTF-8") from error
    yield from _jsonl(path, text) if path.suffix == ".jsonl" else _csv(path, text)


def _wants(path: Path, found: list[str]) -> None:
    missing = [name for name in _WANTED if name not in found]
    if missing:
        raise BrokenContract(f"manifest {path} line 1: columns {found}, want also {missing}")


def _csv(path: Path, text: str) -> Iterator[tuple[int, Record]]:
    # A line of csv ends in \n or \r\n alone: U+2028 and U+0085 are part of a title, and so is a quoted line break.
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found = list(reader.fieldnames or ())
    _wants(path, found)
    try:
        for record in reader:
            if None in record:
                raise BrokenContract(
                    f"manifest {path} line {reader.line_num}: more values than the {len(found)} columns"
                )
            yield reader.line_num, record
    except csv.Error as error:
        raise BrokenContract(f"manifest {path} line {reader.line_num}: {error}, want a csv line") from error


def _jsonl(path: Path, text: str) -> Iterator[tuple[int, Record]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise BrokenContract(f"manifest {path} line {number}: found {line[:60]!r}, want a JSON object") from error
        if not isinstance(record, dict):
            raise BrokenContract(f"manifest {path} line {number}: found {line[:60]!r}, want a JSON object")
        yield number, record


def _parquet(path: Path) -> Iterator[tuple[int, Record]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _wants(path, file.schema_arrow.names)
            columns = [name for name in file.schema_arrow.names if name in _TEXTS]
            number = 0
            for batch in file.iter_batches(columns=columns):
                for record in batch.to_pylist():
                    number += 1
                    published = record.get("published_at")
                    if isinstance(published, datetime):
                        record["published_at"] = published.isoformat()
                    yield number, record
    except pa.ArrowInvalid as error:
        raise BrokenContract(f"manifest {path}: is no parquet file: {error}") from error
