"""Tables that people give: csv with commas, semicolons or tabs, JSON lines, a JSON list of objects, or parquet.

What a file holds decides, not how its name ends. Names of columns are read without regard to case and to the spaces
around them. A line that is no line of the table is handed on with its fault, and holds up no other line: one with an
open quote, one that is not UTF-8, one whose cell has no end. Bytes that are not UTF-8 become lone surrogates in a cell,
which `words.fault_of` names.
"""

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slac_tasks.errors import BrokenContract
from slac_tasks.given import documents, texts
from slac_tasks.given.cells import Unclear

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = ",;\t|"
PARQUET = b"PAR1"
"""What a parquet begins with."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a table."""

    number: int
    """From 1, as an editor counts lines; of a parquet or a JSON list, the row."""
    cells: Mapping[str, Any] = field(default_factory=dict)
    """By column; `cells.text`, `cells.moment` and `cells.number` read them. A missing one is None or not there."""
    fault: str = ""
    """Why it is no line of the table; then it has no cells."""


@dataclass(frozen=True, kw_only=True)
class _Unread:
    """A cell that could not be read; no reader of cells takes it for anything."""

    reason: str

    def __repr__(self) -> str:
        return f"unreadable ({self.reason})"


def lines(path: Path, what: str, *, needed: Collection[str], known: Collection[str]) -> Iterator[Line]:
    """Yield the lines of a table, in order.

    Args:
        path: the file.
        what: the noun by which a message names the file.
        needed: columns that it must have.
        known: columns that are read, these included.

    Raises:
        BrokenContract: it is no such table, or lacks a column.
        OSError: it cannot be read, or is no file.

    """
    with texts.opened(path) as file:
        is_parquet = file.read(len(PARQUET)) == PARQUET
    if is_parquet:
        yield from _parquet(path, what, needed, known)
        return
    try:
        text = texts.read(path, escaped=True)
    except texts.NotText as error:
        raise BrokenContract(f"{what} {path}: {error}; or a csv, JSON lines or parquet") from error
    if not text.strip():
        raise BrokenContract(f"{what} {path}: is empty, want at least the columns {', '.join(needed)}")
    start = text.lstrip()[0]
    if start == "{":
        yield from _json_lines(text)
    elif start == "[":
        yield from _json_list(path, what, text)
    else:
        yield from _csv(path, what, text, needed, known)


def columns_of(
    path: Path, what: str, found: Sequence[str], needed: Collection[str], known: Collection[str]
) -> list[str]:
    """Return the names of columns in the one way in which they are looked up.

    Raises:
        BrokenContract: one is missing, or is there twice.

    """
    names = [_name(each) for each in found]
    if missing := [name for name in needed if name not in names]:
        raise BrokenContract(f"{what} {path} line 1: columns {list(found)[:20]}, want also {missing}")
    if twice := sorted({name for name in names if name in known and names.count(name) > 1}):
        raise BrokenContract(f"{what} {path} line 1: columns {twice} are there twice, want one of each")
    return names


def _name(column: str) -> str:
    # Files that were put together have a byte-order mark in their middle.
    return column.strip().lstrip("\ufeff").strip().casefold()


def _csv(path: Path, what: str, text: str, needed: Collection[str], known: Collection[str]) -> Iterator[Line]:
    delimiter = delimiter_of(text, needed)
    columns: list[str] = []
    for number, values, fault in _records(text, delimiter):
        if not columns and fault:
            raise BrokenContract(f"{what} {path} line {number}: {fault}")
        if not columns:
            columns = columns_of(path, what, values, needed, known)
        elif not fault and list(map(_name, values)) == columns:
            yield Line(number=number, fault="repeats the header, as files that were put together do")
        elif not fault and len(values) > len(columns):
            fault = f"has {len(values)} values, want at most {len(columns)}, one for each column"
            yield Line(number=number, fault=fault)
        else:
            yield Line(number=number, cells={} if fault else dict(zip(columns, values, strict=False)), fault=fault)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Yield (number of its last line, values, fault) of each record of a csv that is not blank.

    A line that begins no record, such as one with a quote that nothing closes, is one by itself with its fault; the
    next record begins behind it. A quote that was never meant as one would swallow the lines up to the next: a record
    of several lines has as many values as the first.
    """
    # A line of csv ends in \n, \r\n or \r alone: U+2028 and U+0085 are part of a title, as is a quoted line break.
    rows = io.StringIO(text, newline="").readlines()
    begin = width = 0
    while begin < len(rows):
        reader = csv.reader(map(rows.__getitem__, range(begin, len(rows))), delimiter=delimiter, strict=True)
        end, fault = begin, ""
        try:
            for values in reader:
                taken = begin + reader.line_num - end
                if taken > 1 and width and len(values) != width:
                    fault = f"has {len(values)} values over {taken} lines, want {width}, each quote closed"
                    break
                end += taken
                width = width or len(values)
                if values:
                    yield end, values, ""
        except csv.Error as error:
            fault = f"{error}, want a csv line"
        if not fault:
            return
        yield end + 1, [], fault
        begin = end + 1


def delimiter_of(text: str, needed: Collection[str]) -> str:
    """Return the sign that parts the header into the needed columns; a comma where none does."""
    header = texts.first_line(text.lstrip("\r\n")).strip()
    for delimiter in DELIMITERS:
        with suppress(csv.Error):  # a name of a column without end
            if set(needed) <= set(map(_name, next(csv.reader([header], delimiter=delimiter), []))):
                return delimiter
    return ","


def _json_lines(text: str) -> Iterator[Line]:
    for number, line in enumerate(texts.LINE_BREAK.split(text), start=1):
        if line.strip():
            try:
                found = json.loads(line, object_pairs_hook=_object, parse_int=documents.whole_of)
                yield Line(number=number, cells=_checked(found))
            except (ValueError, RecursionError) as error:
                yield Line(number=number, fault=_fault_of_json(line, error))


def _json_list(path: Path, what: str, text: str) -> Iterator[Line]:
    try:
        entries = json.loads(text, object_pairs_hook=documents.object_of, parse_int=documents.whole_of)
    except (ValueError, RecursionError) as error:
        raise BrokenContract(
            f"{what} {path}: {documents.fault_of(error)}, want a JSON list of objects, or one object a line"
        ) from error
    for number, entry in enumerate(entries, start=1):
        try:
            yield Line(number=number, cells=_checked(entry))
        except Unclear as error:
            yield Line(number=number, fault=str(error))


def _fault_of_json(line: str, error: Exception) -> str:
    if isinstance(error, Unclear):
        return str(error)
    return f"found {line[:60]!r}, want a JSON object ({documents.fault_of(error)})"


def _checked(entry: Any) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise Unclear(f"found {str(entry)[:60]!r}, want a JSON object")
    return _object(list(entry.items()))


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of a line; a name that it has twice could be either value."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if _name(name) in found:
            raise Unclear(f"has {name!r} twice, as {found[_name(name)]!r} and {value!r}, want one"[:200])
        found[_name(name)] = value
    return found


def _parquet(path: Path, what: str, needed: Collection[str], known: Collection[str]) -> Iterator[Line]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Opened here, since the library opens no name that is not UTF-8.
        with path.open("rb") as opened, pq.ParquetFile(opened, pre_buffer=False) as file:
            found = file.schema_arrow.names
            columns = {
                raw: name for raw, name in zip(found, columns_of(path, what, found, needed, known), strict=True)
                if name in known
            }  # fmt: skip
            number = 0
            for batch in file.iter_batches(columns=list(columns), use_threads=False):
                cells = {columns[raw]: _cells(batch.column(raw)) for raw in columns}
                for values in zip(*cells.values(), strict=True):
                    number += 1
                    yield Line(number=number, cells=dict(zip(cells, values, strict=True)))
    # The library fails to read a column's name that is not UTF-8.
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BrokenContract(f"{what} {path}: is no whole parquet file: {error}") from error


def _cells(array: "pa.Array") -> list[Any]:
    """Return the cells of a column, of whatever type."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(array.type):
        # Python's moments have microseconds. They are the same in UTC, and nobody need know the writer's time zone.
        unit, zone = array.type.unit, array.type.tz and "UTC"
        array = pc.cast(array, pa.timestamp("us" if unit == "ns" else unit, zone), safe=False)
    try:
        return list(array.to_pylist())
    except (ValueError, OverflowError, pa.ArrowException):
        return [_cell(value) for value in array]


def _cell(value: Any) -> Any:
    try:
        return value.as_py()
    except (ValueError, OverflowError) as error:
        return _Unread(reason=str(error)[:60])
