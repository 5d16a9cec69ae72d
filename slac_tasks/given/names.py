"""Lists of names of videos, of which none may be misread: a name that is not understood is a video that stays.

    a table      with one of `COLUMNS`: csv with commas, semicolons or tabs, JSON lines, a JSON list of objects, parquet
    a JSON list  of texts
    a text       one name in a line; what follows a comma is no part of it

A list is taken whole or not at all.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from slac_tasks.errors import BrokenContract
from slac_tasks.given import cells, documents, tables, texts
from slac_tasks.given.words import fault_of, printable

COLUMNS = (
    "video_id", "media_sha256", "sha256", "location", "address", "url", "source_id", "youtube_id", "named", "name",
    "video", "id",
)  # fmt: skip
"""Columns that name a video. Of several in one line the first that is not empty counts: it says most."""
_MOST_BAD = 5
"""So many bad lines are named."""
_Named = tuple[str, str, str]
"""Where a name stands, the name, and why it is none."""


def read(path: Path, what: str) -> list[str]:
    """Return the names of a list, each once, without the blanks around them.

    Args:
        path: the file.
        what: the noun by which a message names it.

    Raises:
        BrokenContract: it is no such list, is empty, or a line of it is no name, or could be two.
        OSError: it cannot be read, or is no file.

    """
    found = [(place, name.strip(), fault or _fault_of(name)) for place, name, fault in _named(path, what)]
    if not found:
        raise BrokenContract(f"{what} {path}: is empty, want one video per line")
    bad = [f"{place}: {printable(fault)[:200]}" for place, _, fault in found if fault]
    if bad:
        more = f"; and {len(bad) - _MOST_BAD} more" if len(bad) > _MOST_BAD else ""
        raise BrokenContract(f"{what} {path}: nothing of it was taken: {'; '.join(bad[:_MOST_BAD])}{more}")
    return list(dict.fromkeys(name for _, name, _ in found))


def _fault_of(name: str) -> str:
    if not name.strip():
        return f"has no name of a video, want one, in one of the columns {', '.join(COLUMNS)}"
    return fault_of_name(name)


def fault_of_name(name: str) -> str:
    """Return why a word cannot be the name of a video; empty where it can."""
    if fault := fault_of(name):
        return f"'{printable(name[:60])}' {fault}"
    try:
        cells.text(name)
    except cells.Unclear as error:
        return str(error)
    return ""


def _named(path: Path, what: str) -> Iterator[_Named]:
    data = texts.content(path)
    if data.startswith(tables.PARQUET):
        yield from _of_table(path, what, ())
        return
    try:
        text = texts.decode(data)
    except texts.NotText as error:
        raise BrokenContract(f"{what} {path}: {error}, or a parquet") from error
    start = text.lstrip()[:1]
    if start == "[" and isinstance(content := documents.read(path, what), list) and all(_is_text(content)):
        yield from ((f"entry {number}", name, "") for number, name in enumerate(content, start=1))
    elif start and start in "[{":
        yield from _of_table(path, what, ())
    elif column := _column(text):
        yield from _of_table(path, what, (column,))
    else:
        yield from _of_text(path, what, text)


def _is_text(content: list[object]) -> Iterator[bool]:
    return (isinstance(entry, str) for entry in content)


def _column(text: str) -> str | None:
    """Return a column that the first line names; None: it is no header."""
    header = texts.first_line(text.lstrip("\r\n"))
    for delimiter in tables.DELIMITERS:
        names = {name.strip().strip('"').casefold() for name in header.split(delimiter)}
        if found := next((column for column in COLUMNS if column in names), None):
            return found
    return None


def _of_table(path: Path, what: str, needed: tuple[str, ...]) -> Iterator[_Named]:
    for line in tables.lines(path, what, needed=needed, known=COLUMNS):
        fault, given = line.fault, ""
        try:
            words = (cells.text(line.cells.get(column)) or "" for column in COLUMNS)
            given = next((word for word in words if word.strip()), "")
        except cells.Unclear as error:
            fault = str(error)
        yield f"line {line.number}", given, fault


def _of_text(path: Path, what: str, text: str) -> Iterator[_Named]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for values in reader:
            if any(value.strip() for value in values):
                name, place = values[0], f"line {reader.line_num}"
                parted = next((sign for sign in tables.DELIMITERS[1:] if sign in name), None)
                short = name.partition(parted)[0] if parted else ""
                two = f"may be {name[:60]!r} or {short[:60]!r}, want a line above that names the columns, as `video_id`"
                yield place, name, two if parted else ""
    except csv.Error as error:
        raise BrokenContract(f"{what} {path} line {reader.line_num}: {error}, want one name, or a csv line") from error
