"""A cell means one thing, or is refused with both."""

import datetime as dt
import math
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.given.cells import Unclear, moment, number, text

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.binary() | st.uuids()
    | st.datetimes(timezones=st.none() | st.timezones()) | st.dates() | st.timedeltas(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(ANYTHING)
def test_any_cell_is_one_value_missing_or_refused_in_words(value: Any) -> None:
    for read, kind in (
        (text, str),
        (number, float),
        (lambda cell: moment(cell, zone=True), dt.datetime),
        (lambda cell: moment(cell, zone=False), dt.datetime),
    ):
        found = refusal = None
        try:
            found = read(value)
        except Unclear as error:
            refusal = str(error)
        assert refusal is None or ("want" in refusal and len(refusal) < 300)
        assert found is None or isinstance(found, kind)


@given(st.integers(), st.uuids())
def test_a_whole_number_and_a_uuid_are_texts_in_one_way(whole: int, name: uuid.UUID) -> None:
    assert text(whole) == text(Decimal(whole)) == str(whole)
    assert text(name) == str(name)


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_is_the_same_as_text_and_as_moment(when: dt.datetime) -> None:
    try:
        wanted = when.astimezone(dt.UTC)
    except OverflowError:
        with pytest.raises(Unclear, match="outside the calendar"):
            moment(when, zone=True)
        return
    assert moment(when, zone=True) == wanted
    if when.isoformat()[19:].count(":") == 1 or "+" in when.isoformat():
        assert moment(when.isoformat(), zone=True) == wanted


@pytest.mark.parametrize(
    ("read", "value", "readings"),
    [
        (text, 123.0, ("'123'", "'123.0'")),
        (text, Decimal("5.00"), ("'5'", "'5.00'")),
        (text, "1.23E+15", ("shortened",)),
        (text, " #NAME?", ("'#NAME?'", "an error of a spreadsheet")),
        (number, "1,234", ("1.234", "1234")),
        (number, "2,5", ("2.5", "25")),
        (lambda cell: moment(cell, zone=False), "06/01/2026", ("2026-01-06", "2026-06-01")),
        (lambda cell: moment(cell, zone=True), "06.01.2026 10:00", ("2026-01-06", "2026-06-01")),
        (lambda cell: moment(cell, zone=False), 20260106, ("the day 2026-01-06", "1970-08-23")),
        (lambda cell: moment(cell, zone=False), "1767657600", ("2026-01-06T00:00:00Z in seconds", "1970-01-21")),
        (lambda cell: moment(cell, zone=True), dt.date(2026, 1, 6), ("no time zone",)),
        (lambda cell: moment(cell, zone=True), "2026-01-06T10:00:00", ("no time zone",)),
        (lambda cell: moment(cell, zone=False), "9999-12-31T23:59:59-23:59", ("outside the calendar",)),
    ],
)
def test_what_could_be_two_things_is_refused_with_both(read: Any, value: Any, readings: tuple[str, ...]) -> None:
    with pytest.raises(Unclear) as refusal:
        read(value)
    for reading in readings:
        assert reading in str(refusal.value)


@pytest.mark.parametrize("value", ["1_000", "١٢", "inf", "nan", "0x10", True, [1.0], "1 2"])
def test_what_python_alone_takes_for_a_number_is_none(value: Any) -> None:
    with pytest.raises(Unclear):
        number(value)


@pytest.mark.parametrize("read", [text, number, lambda cell: moment(cell, zone=True)])
def test_the_nan_of_pandas_is_a_missing_cell(read: Any) -> None:
    assert read(math.nan) is None
    assert read(Decimal("nan")) is None
