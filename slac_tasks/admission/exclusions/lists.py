"""Which videos other benchmarks validate and test on, read from the lists that they publish.

    Kinetics     csv with `youtube_id`, `time_start` and `time_end`; json, by id, each with its `subset`
    HACS         csv with `classname`, `youtube_id` and `subset`; json as ActivityNet's, `hacs` in the file's name
    ActivityNet  json, a `database` of ids, each with its `subset`
    UCF-101      testlist01.txt: `Class/v_Class_g01_c01.avi`
    HMDB-51      brush_hair_test_split1.txt: `name.avi 2`, where 1 is training and 0 neither
    THUMOS14     names such as `video_test_0000004`, with or without times behind them
    ids          a table with `youtube_id`, `video_id` or `id`, with or without `split`; a json list of ids; a text with
                 an id, address or file name per line

What a file holds decides, not how its name ends. Tables may have commas, semicolons or tabs. A file is taken whole or
not at all: a line that cannot be read may name the very video that would slip in.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from slac_tasks.annotations.rows import SPLITS
from slac_tasks.collect.locations import address_of
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given import documents, texts
from slac_tasks.given.names import fault_of_name
from slac_tasks.model import Split, slug
from slac_tasks.progress import counted

_ID_COLUMNS = ("youtube_id", "video_id", "id")
_SUBSET_COLUMNS = ("split", "subset")
_DELIMITERS = ",;\t"
_MOST_BAD = 5
"""So many bad lines are named."""
_LISTED = "listed"
"""Subset of a video whose list names none."""
_MOST_LETTERS = 1_000
"""Of a name; no file's name is longer, and the ledger cannot look for one that is much longer."""
_UNUSED = "unused"
_LEFT_OUT = (Split.TRAINING, _UNUSED)

_TRAINING_LIST = re.compile(r"\w+/v_\S+\.avi\s+\d+")
_LINES = {
    # benchmark: a line of its lists
    "ucf101": re.compile(r"\w+/(?P<name>v_\S+\.avi)"),
    "hmdb51": re.compile(r"(?P<name>[^/\s]+\.avi)\s+(?P<use>[012])"),
    "thumos14": re.compile(r"(?P<name>video_(?P<subset>validation|test)_\d{7})(\s+[\d.]+\s+[\d.]+)?"),
    # A line of a table that lacks its header is none of these.
    "": re.compile(r"""(?P<name>\w[\w+.-]*://\S+|[^\s,;|"'\[\]{}]+)"""),
}

_TABLES = {
    # benchmark: columns of its tables
    "hacs": {"classname", "youtube_id", "subset"},
    "kinetics": {"youtube_id", "time_start", "time_end"},
}

_Found = list[tuple[str, str]]
"""Name and subset of each video of a list."""

_MEDIA_ENDING = re.compile(r"\.(avi|flv|m4v|mkv|mov|mp4|mpe?g|ogv|webm|wmv|3gp)$", re.IGNORECASE)
_YOUTUBE = re.compile(r"(.+\.)?(youtube\.com|youtube-nocookie\.com|youtu\.be)")
_FILE_OF_ID = re.compile(r"v_([\w-]{11})|([\w-]{11})_\d{6}_\d{6}")
"""How files of ActivityNet and Kinetics are named after YouTube ids."""


@dataclass(frozen=True, kw_only=True, order=True)
class Member:
    """A video that a benchmark validates or tests on."""

    name: str
    """As `canonical` gives it."""
    subset: str


@dataclass(frozen=True, kw_only=True)
class MemberList:
    """What a list holds."""

    benchmark: str
    members: tuple[Member, ...]
    left_out: int
    """Videos of the list that are training videos, or neither."""


# The lines of a list that name one video stand together.
@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """Return the one name of a video: the YouTube id of its address or file, else its file's name without ending."""
    path = address_of(name)
    if "://" in path:
        try:
            parts = urlsplit(path)
        except ValueError:
            return path
        path = unquote(parts.path)
        if parts.hostname and _YOUTUBE.fullmatch(parts.hostname):
            asked = parse_qs(parts.query).get("v")
            return asked[0] if asked else PurePosixPath(path).name
    stem = _MEDIA_ENDING.sub("", PurePosixPath(path).name)
    named = _FILE_OF_ID.fullmatch(stem)
    return next(filter(None, named.groups())) if named else stem


def read(path: Path, benchmark: str | None = None) -> MemberList:
    """Read a list; `benchmark` overrides the name that its format tells.

    Raises:
        WrongArguments: there is no such file, or the benchmark's name gets no key.
        BrokenContract: it is none of these lists, has bad lines, or names no validation or test video.

    """
    try:
        text = texts.read(path)
    except texts.NotText as error:
        raise BrokenContract(f"list {path}: {error}: csv, json or txt") from error
    except OSError as error:
        raise WrongArguments(f"list {path}: cannot be read: {error.strerror}, want a csv, json or txt") from error
    if not text.strip():
        raise BrokenContract(f"list {path}: is empty, want at least one video")
    own, found = _parsed(path, text)
    _refuse(path, (f"a name {fault}" for name, _ in found if (fault := fault_of_name(name) or _fault_of(name))))
    subsets = Counter(subset for _, subset in found)
    members = {Member(name=canonical(name), subset=subset) for name, subset in found if subset not in _LEFT_OUT}
    if not found:
        raise BrokenContract(f"list {path}: is empty, want at least one video")
    if not members:
        raise BrokenContract(
            f"list {path}: holds {', '.join(f'{count} {subset}' for subset, count in subsets.items())} and no more, "
            "want validation or test videos"
        )
    return MemberList(
        benchmark=_key(path, benchmark or own or path.stem), members=tuple(sorted(members)),
        left_out=sum(subsets[subset] for subset in _LEFT_OUT),
    )  # fmt: skip


def _fault_of(name: str) -> str:
    """Return why a word names no video of its own; empty where it does."""
    own = canonical(name)
    if own in ("", "..") or len(own) > _MOST_LETTERS:
        return f"is {name[:60]!r}, want one that names a video, in {_MOST_LETTERS:,} letters at most"
    return ""


def _key(path: Path, benchmark: str) -> str:
    try:
        return slug(benchmark)
    except WrongArguments as error:
        raise WrongArguments(f"list {path}: benchmark {benchmark!r} gets no key, want --benchmark NAME") from error


def _parsed(path: Path, text: str) -> tuple[str, _Found]:
    """Return the benchmark that the format tells, empty where it does not, and the videos."""
    if text.lstrip()[0] in "{[":
        return _json(path)
    header = texts.first_line(text.lstrip("\r\n")).strip()
    for delimiter in _DELIMITERS:
        columns = _columns(header, delimiter)
        if set(columns) & set(_ID_COLUMNS):
            return _table(path, text, delimiter)
    if path.suffix.lower() in (".csv", ".tsv"):
        columns = _columns(header, ",")
        raise BrokenContract(f"list {path} line 1: columns {columns}, want one of {', '.join(_ID_COLUMNS)}")
    return _lines(path, text)


def _columns(header: str, delimiter: str) -> list[str]:
    try:
        return [name.strip().lower() for name in next(csv.reader([header], delimiter=delimiter), [])]
    except csv.Error:  # a value without end
        return []


def _json(path: Path) -> tuple[str, _Found]:
    content = documents.read(path, "list")
    if isinstance(content, list):
        return "", _entries(path, content)
    database = content.get("database")
    # Kinetics: the videos themselves, without a `database` around them.
    kinetics = not isinstance(database, dict) and any(
        isinstance(about, dict) and "subset" in about for about in content.values()
    )
    if kinetics:
        database = content
    if not isinstance(database, dict):
        raise BrokenContract(f"list {path}: has {sorted(content)[:5]}, want a `database` of videos by id")
    bad, found = [], []
    for name, about in database.items():
        subset = _subset(about.get("subset") if isinstance(about, dict) else None)
        found.append((name, subset or ""))
        if isinstance(about, documents.Twice):
            bad.append(f"{name!r} is {about}"[:200])
        elif not subset:
            bad.append(f"{name!r} has no subset of {', '.join(SPLITS)}")
    _refuse(path, bad)
    if all(_LINES["thumos14"].fullmatch(name) for name, _ in found):
        return "thumos14", found
    if "hacs" in path.stem.lower():
        return "hacs", found
    return "kinetics" if kinetics else "activitynet", found


def _entries(path: Path, content: list[object]) -> _Found:
    """Return the videos of a json list of ids, or of objects with an id."""
    bad, found = [], []
    for number, entry in enumerate(content, start=1):
        row = entry if isinstance(entry, dict) else {_ID_COLUMNS[0]: entry}
        name = next((str(row[key]).strip() for key in _ID_COLUMNS if isinstance(row.get(key), str)), "")
        split = next((key for key in _SUBSET_COLUMNS if key in row), None)
        subset = _subset(row[split]) if split else _LISTED
        found.append((name, subset or ""))
        if not name or not subset:
            bad.append(f"entry {number}: {str(entry)[:60]!r}, want an id, or an object with an id and a subset")
    _refuse(path, bad)
    return found


def _table(path: Path, text: str, delimiter: str) -> tuple[str, _Found]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    bad, found = [], []
    columns: list[str] = []
    try:
        for values in reader:
            if not values:
                continue
            if not columns:
                columns = [name.strip().lower() for name in values]
                key = next(name for name in _ID_COLUMNS if name in columns)
                split = next((name for name in _SUBSET_COLUMNS if name in columns), None)
                bad += [f"column {name} is there twice" for name in (key, split) if name and columns.count(name) > 1]
                continue
            row = dict(zip(columns, values, strict=False))
            name, given = row.get(key, "").strip(), row.get(split) if split else None
            subset = _subset(given) if split else _LISTED
            found.append((name, subset or ""))
            if len(values) > len(columns):
                bad.append(f"line {reader.line_num}: has more values than the {counted(len(columns), 'column')}")
            elif not name:
                bad.append(f"line {reader.line_num}: {key} is missing or empty")
            elif not subset:
                bad.append(f"line {reader.line_num}: {split} is {given!r}, want one of {', '.join(SPLITS)}")
    except csv.Error as error:
        raise BrokenContract(f"list {path} line {reader.line_num}: {error}, want a csv line") from error
    _refuse(path, bad)
    return next((name for name, needed in _TABLES.items() if needed <= set(columns)), ""), found


def _lines(path: Path, text: str) -> tuple[str, _Found]:
    lines = list(_numbered(text))
    if _TRAINING_LIST.fullmatch(lines[0][1]):
        raise BrokenContract(f"list {path} line {lines[0][0]}: is a training list of UCF-101, want a test list")
    own, pattern = next(
        ((name, each) for name, each in _LINES.items() if each.fullmatch(lines[0][1])), ("", _LINES[""])
    )
    bad, found = [], []
    for number, line in lines:
        match = pattern.fullmatch(line)
        if match is None:
            bad.append(f"line {number}: {line[:60]!r}, want {'a line of ' + own if own else 'one id'}")
        else:
            found.append((match["name"], _subset_of(match.groupdict())))
    _refuse(path, bad)
    return own, found


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(texts.LINE_BREAK.split(text), start=1):
        if line.strip():
            yield number, line.strip()


def _subset_of(groups: Mapping[str, str | None]) -> str:
    """Return the subset that a line of one of the `_LINES` names."""
    if use := groups.get("use"):
        return {"0": _UNUSED, "1": str(Split.TRAINING), "2": str(Split.TESTING)}[use]
    return _subset(groups.get("subset")) or _LISTED


def _subset(value: object) -> str | None:
    found = SPLITS.get(value.strip().lower()) if isinstance(value, str) else None
    return str(found) if found else None


def _refuse(path: Path, bad: Iterable[str]) -> None:
    lines = list(bad)
    if lines:
        more = f"; and {len(lines) - _MOST_BAD} more" if len(lines) > _MOST_BAD else ""
        raise BrokenContract(f"list {path}: nothing was registered: {'; '.join(lines[:_MOST_BAD])}{more}")
