"""What an expectation is: a name, a sentence for people, how severe a failure is, a measure, and what is wanted of it.

A measure is a pass over whole columns of one hand-over. It returns numbers: how many rows are wrong, a share with its
interval, a distance. Great Expectations judges these numbers (`engine`), so what it costs does not grow with the rows.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from slac_tasks.quality.settings import Expectations
from slac_tasks.storage.declarations import Dataset

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

T = TypeVar("T")


class Severity(StrEnum):
    """What a failure leads to."""

    CRITICAL = "critical"
    """The rows are not what the dataset promises: nothing is made from them."""
    WARNING = "warning"
    """Somebody should look at it: it is shown and listed."""


CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a measure found of one subject."""

    value: float | None
    """None: there is nothing to measure."""
    low: float | None = None
    """Lower end of the 95 % interval; None: the value is no estimate."""
    high: float | None = None
    surely: tuple[float, float] | None = None
    """The interval that decides: it holds the values of all subjects of the measure with 95 % together (Bonferroni)."""
    count: int
    """Rows that it rests on."""
    subject: str = ""
    """A category, a strategy, a person; empty: all rows together."""
    examples: tuple[str, ...] = ()
    """A few of the rows that are wrong."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The range in which a value must lie. An end may be the name of a setting of `[expectations]`."""

    low: float | str | None = None
    high: float | str | None = None

    def range(self, knobs: Expectations) -> tuple[float, float]:
        """Return (lowest, highest value that is accepted)."""
        return _end(self.low, knobs, -math.inf), _end(self.high, knobs, math.inf)


NONE = Wanted(high=0.0)
"""No row may be wrong."""


@dataclass(frozen=True, kw_only=True)
class Handover:
    """One partition of a dataset as it is handed to the next stage, and what is known beside it."""

    dataset: Dataset[Any]
    keys: Mapping[str, str]
    rows: pa.Table
    knobs: Expectations
    written_at: datetime | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Items that its stage has set aside, by reason."""
    beside: Mapping[str, pa.Table] = field(default_factory=dict)
    """Other tables by name; an expectation says which ones it needs."""

    @property
    def partition(self) -> str:
        """The values of its keys, as one name."""
        return ".".join(self.keys[key] for key in self.dataset.keys)

    @cached_property
    def sound(self) -> frozenset[str]:
        """The columns that are as the dataset declares them: the others are read by no expectation but `declared`."""
        held = {field.name: field.type for field in self.rows.schema}
        return frozenset(
            column.name
            for column in self.dataset.columns
            if held.get(column.name) == column.dtype and (column.nullable or not self.rows[column.name].null_count)
        )

    @cached_property
    def _made(self) -> dict[str, Any]:
        return {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` returns, made once for this hand-over: several measures read it."""
        if name not in self._made:
            self._made[name] = make()
        found: T = self._made[name]
        return found

    def column(self, name: str) -> pa.Array:
        """Return a column in one piece."""
        return self.once(f"column {name}", lambda: whole(self.rows[name]))

    def numbers(self, name: str) -> Floats:
        """Return a column as numbers, shape (rows,); an unknown value is NaN."""
        return self.once(f"numbers {name}", lambda: _floats(self.column(name)))

    def known(self, name: str) -> Bools:
        """Return which rows have a value in this column, shape (rows,)."""
        return np.asarray(self.column(name).is_valid().to_numpy(zero_copy_only=False), dtype=bool)

    def places(self, name: str) -> Ints:
        """Return the index of each row's value among those that occur, or -1 where it is unknown; shape (rows,)."""
        return self._encoded(name)[1]

    def codes(self, name: str) -> tuple[list[str], Ints]:
        """Return (the values that occur, `places`), of a column with few different values."""
        values, codes = self._encoded(name)
        return self.once(f"values {name}", values.to_pylist), codes

    def _encoded(self, name: str) -> tuple[pa.Array, Ints]:
        return self.once(f"encoded {name}", lambda: encoded(self.column(name)))

    def equals(self, name: str, value: str) -> Bools:
        """Return which rows hold this text in a column, shape (rows,)."""
        values, codes = self.codes(name)
        return np.asarray(codes == (values.index(value) if value in values else -2))

    def place_in(self, name: str, beside: str, column: str = "") -> Ints:
        """Return the row of a table beside that holds each row's value, or -1; shape (rows,)."""

        def place() -> Ints:
            values, codes = self._encoded(name)
            # Each value is sought once, however many rows have it.
            found = pc.index_in(values, value_set=whole(self.beside[beside][column or name]))
            return np.append(found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), -1)[codes]

        return self.once(f"{name} in {beside}.{column}", place)

    def examples(self, wrong: Bools, column: str) -> tuple[str, ...]:
        """Return what names the first wrong rows: by this column; empty: by the first unique one."""
        name = column or self.dataset.unique[0]
        if name not in self.rows.column_names:
            return ()
        places = np.flatnonzero(wrong)[:EXAMPLES]
        return tuple(str(self.rows[name][int(place)].as_py()) for place in places)


def whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece; one that is in one piece already is not copied."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def encoded(column: pa.Array) -> tuple[pa.Array, Ints]:
    """Return (the values that occur, the index of each row's value among them, or -1 where it is unknown)."""
    found = column.dictionary_encode()
    return found.dictionary, found.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def in_one_piece(tables: Iterable[pa.Table]) -> pa.Table:
    """Return tables of one schema as one table with columns in one piece.

    Memory holds the rows, and one column of them a second time.
    """
    parts = [dict(zip(table.column_names, table.columns, strict=True)) for table in tables]
    schema = pa.schema([(name, column.type) for name, column in parts[0].items()])
    joined = {}
    for name in schema.names:
        chunks = [chunk for part in parts for chunk in part.pop(name).chunks]
        joined[name] = pa.chunked_array(chunks, schema.field(name).type).combine_chunks()
    return pa.table(joined, schema=schema)


def _floats(column: pa.Array) -> Floats:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


EXAMPLES = 3
"""Rows that are named of those that are wrong."""

Measure = Callable[[Handover], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """One thing that the rows of a hand-over must be."""

    name: str
    sentence: str
    """What is expected, for people."""
    severity: Severity
    measure: Measure
    wanted: Wanted = NONE
    reads: tuple[str, ...]
    """Columns that the measure reads."""
    needs: tuple[str, ...] = ()
    """Tables beside the rows that the measure reads."""

    def findings(self, handover: Handover) -> Sequence[Finding]:
        """Return what was found; one finding without a value where a column is not sound or a table is missing."""
        if not (handover.sound.issuperset(self.reads) and handover.beside.keys() >= set(self.needs)):
            return [Finding(value=None, count=0)]
        return list(self.measure(handover))


def _end(end: float | str | None, knobs: Expectations, default: float) -> float:
    if end is None:
        return default
    return float(getattr(knobs, end)) if isinstance(end, str) else end
