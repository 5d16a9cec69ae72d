"""Which videos other benchmarks validate and test on, read from the lists that they publish.

    Kinetics     csv with `youtube_id` and `split`
    ActivityNet  json, a `database` of ids, each with its `subset`; HACS publishes the same
    UCF-101      testlist01.txt: `Class/v_Class_g01_c01.avi`
    HMDB-51      brush_hair_test_split1.txt: `name.avi 2`, where 1 is training and 0 neither
    THUMOS14     names such as `video_test_0000004`, with or without times behind them
    ids          a csv with `video_id` or `id`, with or without `split`; a text with an id, address or file per line

A file is taken whole or not at all: a line that cannot be read may name the very video that would slip in.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from slac_tasks.collect.locations import address_of
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.model import Split, slug

_SUBSETS = {
    "train": Split.TRAINING, "training": Split.TRAINING, "val": Split.VALIDATION, "valid": Split.VALIDATION,
    "validate": Split.VALIDATION, "validation": Split.VALIDATION, "test": Split.TESTING, "testing": Split.TESTING,
}  # fmt: skip
_ID_COLUMNS = ("youtube_id", "video_id", "id")
_SUBSET_COLUMNS = ("split", "subset")
_BAD_LINES_TOLD = 5
_LISTED = "listed"
"""Subset of a video of a list that does not say."""
_UNUSED = "unused"
_LEFT_OUT = (Split.TRAINING, _UNUSED)

_TRAINING_LIST = re.compile(r"\w+/v_\S+\.avi\s+\d+")
_LINES = {
    # benchmark: a line of its lists
    "ucf101": re.compile(r"\w+/(?P<name>v_\S+\.avi)"),
    "hmdb51": re.compile(r"(?P<name>[^/\s]+\.avi)\s+(?P<use>[012])"),
    "thumos14": re.compile(r"(?P<name>video_(?P<subset>validation|test)_\d{7})(\s+[\d.]+\s+[\d.]+)?"),
    "": re.compile(r"(?P<name>\S+)"),
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
        WrongArguments: there is no such file.
        BrokenContract: it is none of these lists, has bad lines, or names no validation or test video.

    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenContract(f"list {path}: is no text, want csv, json or txt in UTF-8") from error
    except OSError as error:
        raise WrongArguments(f"list {path}: cannot be read: {error.strerror}, want a csv, json or txt") from error
    if not text.strip():
        raise BrokenContract(f"list {path}: is empty, want at least one video")
    if text.lstrip().startswith("{"):
        told, found = _database(path, text)
    elif path.suffix == ".csv":
        told, found = _csv(path, text)
    else:
        told, found = _lines(path, text)
    subsets = Counter(subset for _, subset in found)
    kept = {Member(name=canonical(name), subset=subset) for name, subset in found if subset not in _LEFT_OUT}
    if not kept:
        raise BrokenContract(
            f"list {path}: holds {', '.join(f'{count} {subset}' for subset, count in subsets.items())} and no more, "
            "want validation or test videos"
        )
    return MemberList(
        benchmark=slug(benchmark or told or path.stem), members=tuple(sorted(kept)),
        left_out=sum(subsets[subset] for subset in _LEFT_OUT),
    )  # fmt: skip


def _database(path: Path, text: str) -> tuple[str, _Found]:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise BrokenContract(f"list {path}: {error}, want ActivityNet's json") from error
    database = content.get("database")
    if not isinstance(database, dict):
        raise BrokenContract(f"list {path}: has {sorted(content)[:5]}, want a `database` of videos by id")
    bad, found = [], []
    for name, about in database.items():
        subset = _subset(about.get("subset") if isinstance(about, dict) else None)
        found.append((name, subset or ""))
        if not subset:
            bad.append(f"{name!r} has no subset of {', '.join(_SUBSETS)}")
    _refuse(path, bad)
    thumos = all(_LINES["thumos14"].fullmatch(name) for name, _ in found)
    return "thumos14" if thumos else "activitynet", found


def _csv(path: Path, text: str) -> tuple[str, _Found]:
    reader = csv.DictReader(text.splitlines(), strict=True)
    columns = list(reader.fieldnames or ())
    key = next((name for name in _ID_COLUMNS if name in columns), None)
    split = next((name for name in _SUBSET_COLUMNS if name in columns), None)
    if key is None:
        raise BrokenContract(f"list {path} line 1: columns {columns}, want one of {', '.join(_ID_COLUMNS)}")
    bad, found = [], []
    try:
        for row in reader:
            name, said = (row[key] or "").strip(), row[split] if split else None
            subset = _subset(said) if split else _LISTED
            found.append((name, subset or ""))
            if None in row:
                bad.append(f"line {reader.line_num}: has more values than the {len(columns)} columns")
            elif not name:
                bad.append(f"line {reader.line_num}: {key} is missing or empty")
            elif not subset:
                bad.append(f"line {reader.line_num}: {split} is {said!r}, want one of {', '.join(_SUBSETS)}")
    except csv.Error as error:
        raise BrokenContract(f"list {path} line {reader.line_num}: {error}, want a csv line") from error
    _refuse(path, bad)
    return "kinetics" if key == "youtube_id" else "", found


def _lines(path: Path, text: str) -> tuple[str, _Found]:
    lines = list(_numbered(text))
    if _TRAINING_LIST.fullmatch(lines[0][1]):
        raise BrokenContract(f"list {path} line {lines[0][0]}: is a training list of UCF-101, want a test list")
    told, pattern = next(
        ((name, each) for name, each in _LINES.items() if each.fullmatch(lines[0][1])), ("", _LINES[""])
    )
    bad, found = [], []
    for number, line in lines:
        match = pattern.fullmatch(line)
        if match is None:
            bad.append(f"line {number}: {line[:60]!r}, want {'a line of ' + told if told else 'one id'}")
        else:
            found.append((match["name"], _told(match.groupdict())))
    _refuse(path, bad)
    return told, found


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def _told(groups: dict[str, Any]) -> str:
    if "use" in groups:
        return {"0": _UNUSED, "1": str(Split.TRAINING), "2": str(Split.TESTING)}[groups["use"]]
    return _subset(groups.get("subset")) or _LISTED


def _subset(value: object) -> str | None:
    found = _SUBSETS.get(value.strip().lower()) if isinstance(value, str) else None
    return str(found) if found else None


def _refuse(path: Path, bad: Iterable[str]) -> None:
    told = list(bad)
    if told:
        more = f"; and {len(told) - _BAD_LINES_TOLD} more" if len(told) > _BAD_LINES_TOLD else ""
        raise BrokenContract(f"list {path}: nothing was registered: {'; '.join(told[:_BAD_LINES_TOLD])}{more}")
