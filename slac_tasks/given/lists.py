"""Lists of which every line stands alone: a line that cannot be read holds up no other, whatever it holds.

`tables` reads tables of several formats, whose cells may hold many lines of text. A published list is a text or a csv
of hundreds of thousands of lines; a quote in it that is not closed soon was never meant as one.
"""

import csv
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from slac_tasks.errors import BrokenContract
from slac_tasks.given import texts
from slac_tasks.given.tables import Line, columns_of, delimiter_of

_MOST_JOINED = 4
"""A quoted cell may hold line breaks. A quote that is not closed after so many lines was never meant as one."""


def lines(path: Path, what: str) -> list[tuple[int, str]]:
    """Return the lines of a text that are not blank, each with its number from 1 and without the blanks around it.

    Bytes that are not UTF-8 become lone surrogates; see `texts.decode`.

    Raises:
        BrokenContract: it is no text.
        OSError: it cannot be read.

    """
    return [(number, line.strip()) for number, line in _all_lines(path, what) if line.strip()]


def table(path: Path, what: str, *, needed: Collection[str], known: Collection[str]) -> Iterator[Line]:
    """Yield the lines of a csv below its header, in order; the delimiter is a comma, a semicolon, a tab or a bar.

    Args:
        path: the file.
        what: the noun by which a message names the file.
        needed: columns that it must have.
        known: columns that are read, these included.

    Raises:
        BrokenContract: it is no text, is empty, or lacks a column.
        OSError: it cannot be read.

    """
    found = [(number, line) for number, line in _all_lines(path, what) if line.strip()]
    if not found:
        raise BrokenContract(f"{what} {path}: is empty, want at least the columns {', '.join(needed)}")
    header = found[0][1]
    delimiter = delimiter_of(header, needed)
    columns = columns_of(path, what, _values([header], delimiter) or [header], needed, known)
    place = 1
    while place < len(found):
        line, taken = _line([text for _, text in found[place : place + _MOST_JOINED]], columns, delimiter)
        yield Line(number=found[place][0], cells=line.cells, fault=line.fault)
        place += taken


def _all_lines(path: Path, what: str) -> Iterator[tuple[int, str]]:
    try:
        text = texts.read(path, escaped=True)
    except texts.NotText as error:
        raise BrokenContract(f"{what} {path}: {error}") from error
    return enumerate(texts.LINE_BREAK.split(text), start=1)


def _line(ahead: Sequence[str], columns: Sequence[str], delimiter: str) -> tuple[Line, int]:
    """Return the line with which these texts begin, and how many of them it takes."""
    for taken in range(1, len(ahead) + 1):
        values = _values(ahead[:taken], delimiter)
        if values is None or (taken > 1 and len(values) != len(columns)):
            continue
        if len(values) > len(columns):
            fault = f"has {len(values)} values, want at most {len(columns)}, one for each column"
            return Line(number=0, fault=fault), 1
        return Line(number=0, cells=dict(zip(columns, values, strict=False))), taken
    return Line(number=0, fault=f"found {ahead[0][:60]!r}, want a csv line, each quote closed"), 1


def _values(texts_of_line: Sequence[str], delimiter: str) -> list[str] | None:
    """Return the values of one line; None where it is none, such as one with an open quote or a value without end."""
    try:
        (values,) = csv.reader(["\n".join(texts_of_line)], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return None
    return values
