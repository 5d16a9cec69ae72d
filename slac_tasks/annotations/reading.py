"""Published lists, read whole: every line becomes a row or is odd, with its place and reason, and all are counted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slac_tasks.annotations.opened import WHAT, Opened
from slac_tasks.annotations.readers import READERS, Reader
from slac_tasks.annotations.rows import OddRow, Row, checked, odd, past_end
from slac_tasks.errors import WrongArguments
from slac_tasks.given.words import printable
from slac_tasks.model import Split
from slac_tasks.progress import counted, track

_Claim = tuple[str, str, float | None, float | None]
"""What a row is about: video, label, start and end."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What lists hold."""

    rows: tuple[Row, ...]
    """In the order of the files."""
    odd: tuple[OddRow, ...]
    """Lines that were set aside, and lines that were taken with a remark."""

    @property
    def labels(self) -> list[Row]:
        """The rows that say what a video shows."""
        return [row for row in self.rows if row.label is not None]

    @property
    def videos(self) -> list[str]:
        """The names of all videos, in the order in which they are named first."""
        return list(dict.fromkeys(row.video for row in self.rows))

    @property
    def set_aside(self) -> list[OddRow]:
        """The lines that became no row."""
        return [one for one in self.odd if not one.taken]

    def __str__(self) -> str:
        reasons = Counter(f"{'taken' if one.taken else 'set aside'}: {one.reason}" for one in self.odd)
        parts = [counted(len(self.videos), "video"), counted(len(self.labels), "label")]
        return ", ".join([*parts, *(f"{count:,} {reason}" for reason, count in sorted(reasons.items()))])


def recognised(file: Opened) -> Reader:
    """Return the reader of a file's format.

    Raises:
        WrongArguments: it is not there, or of none of the formats.
        BrokenContract: it is no text, or no whole JSON.

    """
    for reader in READERS.values():
        if reader.fits(file):
            return reader
    known = ", ".join(READERS)
    raise WrongArguments(f"{WHAT} {file.path}: begins with {file.first[:60]!r}, want a file of one of {known}")


def read(paths: Sequence[Path], name: str | None = None, *, repeated: bool = False) -> Published:
    """Read lists as one: what one of them says of a video's split, length and address holds for all of its rows.

    Args:
        paths: the files, or a folder of classes.
        name: the format; without it each file's own is found.
        repeated: whether a label that is there twice is taken twice, as the published evaluations do.

    Raises:
        WrongArguments: a file is not there, or of no known format.
        BrokenContract: a file is not what its format promises as a whole, such as a csv without a column.

    """
    odds: list[OddRow] = []
    rows: list[Row] = []
    for path, called in zip(paths, names_of(paths), strict=True):
        prefix = f"{called} " if len(paths) > 1 else ""
        for found in track(_rows(path, name), None, f"lines of {called}"):
            if isinstance(found, OddRow):
                odds.append(replace(found, place=prefix + found.place))
            else:
                rows.append(replace(found, place=prefix + found.place) if prefix else found)
    joined = _joined(rows, odds)
    taken = joined if repeated else agreeing(joined, odds)
    odds += [remark for row in taken if (remark := past_end(row))]
    return Published(rows=tuple(taken), odd=tuple(odds))


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return what each list is called where its lines are named and kept.

    It is its file's name, or its path where another file has that name too. What is no UTF-8 of it is escaped, since no
    dataset can hold it.
    """
    times = Counter(path.name for path in paths)
    return [printable(str(path) if times[path.name] > 1 else path.name) for path in paths]


def _rows(path: Path, name: str | None) -> Iterator[Row | OddRow]:
    file = Opened(path)
    reader = READERS[name] if name else recognised(file)
    if name and reader.is_document and not reader.fits(file):
        raise WrongArguments(f"{WHAT} {path}: begins with {file.first[:60]!r}, want a file of {name}: {reader.help}")
    for raw in reader.rows(file):
        yield raw if isinstance(raw, OddRow) else checked(raw)


def _joined(rows: Sequence[Row], odds: list[OddRow]) -> list[Row]:
    """Return rows that each hold what is known of their videos; a row that puts its video into another split is odd."""
    splits: dict[str, tuple[Split, str]] = {}
    lengths: dict[str, float] = {}
    urls: dict[str, str] = {}
    for row in rows:
        if row.split is not None:
            splits.setdefault(row.video, (row.split, row.place))
        if row.duration_sec is not None:
            lengths.setdefault(row.video, row.duration_sec)
        if row.url is not None:
            urls.setdefault(row.video, row.url)
    found = []
    for row in rows:
        split, place = splits.get(row.video, (None, ""))
        if row.split is not None and row.split != split:
            odds.append(odd(row.place, "two splits", f"video {row.video} is {row.split}, and {split} at {place}"))
            continue
        length, url = lengths.get(row.video), urls.get(row.video)
        if (row.split, row.duration_sec, row.url) != (split, length, url):
            row = replace(row, split=split, duration_sec=length, url=url)
        found.append(row)
    return found


def agreeing(rows: Sequence[Row], odds: list[OddRow]) -> list[Row]:
    """Return each claim once; of claims that contradict each other, none. What is left out is added to `odds`."""
    first: dict[_Claim, Row] = {}
    contradicted: set[_Claim] = set()
    for row in rows:
        if row.label is None:
            continue
        claim = (row.video, row.label, row.start_sec, row.end_sec)
        before = first.setdefault(claim, row)
        if before is row:
            continue
        if before.positive == row.positive:
            odds.append(odd(row.place, "duplicate", f"says the same as {before.place}"))
        else:
            contradicted.add(claim)
            odds.append(odd(row.place, "contradiction", f"says the opposite of {before.place}"))
    opposed = "another line says the opposite"
    odds += [odd(row.place, "contradiction", opposed) for claim, row in first.items() if claim in contradicted]
    found, named = [], set()
    for row in rows:
        if row.label is None:
            if row.video not in named:
                named.add(row.video)
                found.append(row)
            continue
        claim = (row.video, row.label, row.start_sec, row.end_sec)
        if first[claim] is row and claim not in contradicted:
            found.append(row)
    return found
