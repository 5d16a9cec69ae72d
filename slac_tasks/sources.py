"""Where videos are found: folders and manifests, behind one small interface. Reads names only, never media."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from slac_tasks.errors import BrokenContract, NotConfigured, WrongArguments
from slac_tasks.model import content_hash, slug

_WANTED = ("category", "location")
_TEXTS = ("category", "location", "source_id", "title", "licence", "published_at")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A video that a source offers for a category; the columns of `datasets.CANDIDATES`."""

    source: str
    source_id: str
    location: str
    title: str | None = None
    licence: str | None = None
    published_at: datetime | None = None

    @property
    def candidate_id(self) -> str:
        """16 hex digits that name this video of this source."""
        return content_hash(self.source, self.source_id)


class Source(Protocol):
    """A place that offers videos for categories."""

    def categories(self) -> list[str]:
        """Return the display names of the categories that it offers, in order."""

    def candidates(self, category: str) -> Iterator[Candidate]:
        """Yield what it offers for a category's key, in a fixed order."""


class FolderSource:
    """A folder with one sub-folder per category; its files are undated."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
        if not self._folders:
            raise BrokenContract(f"folder {root}: is empty, want one sub-folder of videos per category")

    def categories(self) -> list[str]:
        """Return the sub-folders' names."""
        return [folder.name for folder in self._folders]

    def candidates(self, category: str) -> Iterator[Candidate]:
        """Yield every file of the category's sub-folder, whatever its ending; hidden files are skipped."""
        for folder in self._folders:
            if slug(folder.name) != category:
                continue
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(self.root)
                if path.is_file() and not any(part.startswith(".") for part in name.parts):
                    yield Candidate(
                        source=str(self.root),
                        source_id=name.as_posix(),
                        location=str(path.absolute()),
                        title=path.stem,
                    )


class ManifestSource:
    """A csv or jsonl file: category, location, and optionally source_id, title, licence and published_at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows = list(self._read())
        if not self._rows:
            raise BrokenContract(f"manifest {path}: is empty, want at least one video")

    def _read(self) -> Iterator[tuple[str, Candidate]]:
        try:
            text = self.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise BrokenContract(f"manifest {self.path}: is no text, want csv or jsonl in UTF-8") from error
        records = _jsonl(self.path, text) if self.path.suffix == ".jsonl" else _csv(self.path, text)
        for line, record in records:
            yield self._candidate(line, record)

    def _candidate(self, line: int, record: Mapping[str, Any]) -> tuple[str, Candidate]:
        where = f"manifest {self.path} line {line}"
        for name in _TEXTS:
            value = record.get(name)
            if value is not None and not isinstance(value, str):
                raise BrokenContract(f"{where}: {name} is {value!r}, want text")
        for name in _WANTED:
            if not record.get(name):
                raise BrokenContract(f"{where}: {name} is missing or empty, found {sorted(k for k in record if k)}")
        try:
            slug(record["category"])
        except WrongArguments as error:
            raise BrokenContract(f"{where}: {error}") from error
        location = record["location"]
        if not location.startswith(("http://", "https://")):
            location = str((self.path.parent / location).absolute())
        return record["category"], Candidate(
            source=str(self.path),
            source_id=record.get("source_id") or record["location"],
            location=location,
            title=record.get("title") or None,
            licence=record.get("licence") or None,
            published_at=_moment(record.get("published_at"), where),
        )

    def categories(self) -> list[str]:
        """Return the categories in the order in which the manifest names them first."""
        return list(dict.fromkeys(name for name, _ in self._rows))

    def candidates(self, category: str) -> Iterator[Candidate]:
        """Yield the category's lines in order; a line that repeats an id is the same video."""
        seen: set[str] = set()
        for name, candidate in self._rows:
            if slug(name) == category and candidate.source_id not in seen:
                seen.add(candidate.source_id)
                yield candidate


def _csv(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    found = list(reader.fieldnames or ())
    missing = [name for name in _WANTED if name not in found]
    if missing:
        raise BrokenContract(f"manifest {path} line 1: columns {found}, want also {missing}")
    try:
        for record in reader:
            if None in record:
                raise BrokenContract(
                    f"manifest {path} line {reader.line_num}: more values than the {len(found)} columns"
                )
            yield reader.line_num, record
    except csv.Error as error:
        raise BrokenContract(f"manifest {path} line {reader.line_num}: {error}, want a csv line") from error


def _jsonl(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise BrokenContract(f"manifest {path} line {number}: found {line[:60]!r}, want a JSON object") from error
        if not isinstance(record, dict):
            raise BrokenContract(f"manifest {path} line {number}: found {line[:60]!r}, want a JSON object")
        yield number, record


def _moment(value: str | None, where: str) -> datetime | None:
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise BrokenContract(f"{where}: published_at is {value!r}, want ISO 8601") from error
    # A time without a zone is read as UTC, the platform's own.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def open_sources(names: Sequence[str]) -> list[Source]:
    """Open the sources that `config.collect.sources` names.

    Raises:
        NotConfigured: none is named, or a name is neither a folder nor a manifest.
        BrokenContract: a source is empty or holds a bad line.

    """
    if not names:
        raise NotConfigured("collect.sources: is empty, want folders and manifests of videos")
    sources: list[Source] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            sources.append(FolderSource(path))
        elif path.is_file() and path.suffix in (".csv", ".jsonl"):
            sources.append(ManifestSource(path))
        else:
            raise NotConfigured(f"source {name}: is no folder and no .csv or .jsonl file")
    return sources
