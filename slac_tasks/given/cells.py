"""One cell of a table that somebody gives, as a text, a moment or a number.

A cell of a csv is a text. One of a parquet has the type that its writer chose: pandas makes numbers of ids, days of
moments and NaN of what is missing. A cell that could mean two things raises `Unclear`, with both.
"""

import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMMA = re.compile(r"([+-]?\d+),(\d+)", re.ASCII)
_SHORTENED = re.compile(r"\d(\.\d+)?E\+\d+", re.ASCII)
"""A long number as a spreadsheet shows and saves it: its last digits are lost."""
_ERRORS = frozenset({"#NAME?", "#REF!", "#VALUE!", "#N/A", "#DIV/0!", "#NULL!", "#NUM!"})
"""What a spreadsheet saves for a cell that it took for a formula, such as an id that begins with `-` or `=`."""
_DAY = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})([T ,].*)?", re.ASCII)
_SHA256_BYTES = 32
_EXACT = 2**53
"""Above this a float does not hold every whole number."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unclear(ValueError):
    """A cell that is not what its column holds, or could be two things; the message says what was found and wanted."""


def is_missing(value: Any) -> bool:
    """Return whether a cell holds nothing: null, or the NaN that pandas writes for it."""
    return (
        value is None
        or (isinstance(value, float) and value != value)
        or (isinstance(value, Decimal) and value.is_nan())
    )


def text(value: Any) -> str | None:
    """Return a cell of a column of names or words; None where it is missing.

    Raises:
        Unclear: it is no text and no whole number, a number that can be written in two ways, or what a spreadsheet made
            of something else.

    """
    if is_missing(value):
        return None
    if isinstance(value, str):
        if _SHORTENED.fullmatch(value):
            raise Unclear(f"is {value!r}, a number that a spreadsheet has shortened, want all of its digits")
        if value.strip() in _ERRORS:
            raise Unclear(f"is {value.strip()!r}, an error of a spreadsheet, want what stood there before")
        return value
    if isinstance(value, bytes):
        return _text_of_bytes(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite() and value.as_tuple().exponent == 0:
        return str(value)
    if isinstance(value, float | Decimal):
        whole = float(value)
        if abs(whole) < _EXACT and whole.is_integer():
            raise Unclear(f"is the number {value}, which may be '{int(value)}' or '{value}', want text")
        raise Unclear(f"is the number {value}, want text"[:120])
    raise Unclear(f"is {_shown(value)}, want text")


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        if len(value) == _SHA256_BYTES:
            return value.hex()
        raise Unclear(f"is {_shown(value)}, want text in UTF-8") from error


def moment(value: Any, *, zone: bool) -> datetime | None:
    """Return a cell of a column of moments, in UTC; None where it is missing or empty.

    Args:
        value: ISO 8601, or a moment or day of a parquet.
        zone: whether it must name its time zone. Else one without is UTC, and a day is its first instant.

    Raises:
        Unclear: it is none, lies outside the calendar, or could be two.

    """
    if is_missing(value) or value == "":
        return None
    found = _moment_of(value)
    if found is None:
        raise Unclear(f"is {_shown(value)}, want ISO 8601, as 2026-01-05T12:30:00+00:00")
    if not isinstance(found, datetime):
        if zone:
            raise Unclear(f"is the day {found.isoformat()}, has no time and no time zone, want both")
        found = datetime.combine(found, time(), UTC)
    if found.tzinfo is None:
        if zone:
            raise Unclear(f"is {_shown(value)}, has no time zone, want one")
        return found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise Unclear(f"is {_shown(value)}, outside the calendar in UTC, want an earlier or later moment") from error


def _moment_of(value: Any) -> date | None:
    """Return the moment or day that a cell names, None where it names none."""
    if isinstance(value, date):
        return value
    words = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if re.fullmatch(r"[+-]?\d+", words):
        raise Unclear(f"is the number {words[:40]}, {_readings_of_number(words)}, want ISO 8601")
    if match := _DAY.fullmatch(words):
        first, second, year = map(int, match.groups()[:3])
        readings = [day for day in (_day(year, second, first), _day(year, first, second)) if day]
        named = " or ".join(dict.fromkeys(day.isoformat() for day in readings)) or "no day"
        raise Unclear(f"is {words[:40]!r}, which may be {named}, want ISO 8601, as 2026-01-05")
    try:
        return datetime.fromisoformat(words)
    except ValueError:
        return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _readings_of_number(digits: str) -> str:
    """Return the moments that a number may stand for, in words."""
    readings = []
    if len(digits) == 8 and (day := _day(int(digits[:4]), int(digits[4:6]), int(digits[6:]))):
        readings.append(f"the day {day.isoformat()}")
    if len(digits) <= 18:
        for unit, parts in (("seconds", 1), ("milliseconds", 1000)):
            try:
                readings.append(f"{(_EPOCH + timedelta(seconds=int(digits) / parts)):%Y-%m-%dT%H:%M:%SZ} in {unit}")
            except OverflowError:
                continue
    return "which may be " + " or ".join(readings) if readings else "which is no moment"


def number(value: Any) -> float | None:
    """Return a cell of a column of numbers; None where it is missing or empty.

    Raises:
        Unclear: it is none, or could be two, as `1,234` may.

    """
    if is_missing(value):
        return None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _float(value)
    words = value.strip() if isinstance(value, str) else None
    if words == "":
        return None
    if words is not None and _NUMBER.fullmatch(words):
        return _float(words)
    if words is not None and (match := _COMMA.fullmatch(words)):
        raise Unclear(
            f"is {words[:40]!r}, which may be {match[1]}.{match[2]} or {match[1]}{match[2]}, want a point"[:200]
        )
    raise Unclear(f"is {_shown(value)}, want a number")


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise Unclear(f"is {_shown(value)}, larger than any float, want a number") from error


def _shown(value: Any) -> str:
    """Return a cell as a message shows it: shortened, whatever it holds."""
    try:
        return repr(value)[:80]
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to show"
