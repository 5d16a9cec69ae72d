"""What a dataset's declaration promises of its rows, and how old they may be."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.quality.expectations.entries import (
    CRITICAL,
    WARNING,
    Bools,
    Expectation,
    Finding,
    Handover,
    Wanted,
)
from slac_tasks.quality.expectations.measures import wrong_rows
from slac_tasks.storage.declarations import Dataset


def declared(dataset: Dataset[Any]) -> tuple[Expectation, ...]:
    """Return what the declaration of a dataset promises."""
    names = tuple(dataset.schema.names)
    numbers = tuple(one.name for one in dataset.schema if pa.types.is_floating(one.type))
    return (
        Expectation(
            name="schema", severity=CRITICAL, reads=(), measure=_schema,
            sentence="The columns and their types are those that the dataset declares.",
        ),
        Expectation(
            name="values_known", severity=CRITICAL, reads=(), measure=_unknown,
            sentence="No value is unknown in a column that must be known.",
        ),
        Expectation(
            name="numbers_finite", severity=CRITICAL, reads=numbers, measure=_not_finite,
            sentence="Every number is a number: neither infinite nor undefined.",
        ),
        Expectation(
            name="rows_unique", severity=CRITICAL, reads=tuple(n for n in dataset.unique if n in names),
            measure=wrong_rows(_repeated), sentence=f"No two rows have the same {', '.join(dataset.unique)}.",
        ),
        Expectation(
            name="not_empty", severity=WARNING, reads=(), wanted=Wanted(low=1), measure=_rows,
            sentence="The partition holds rows.",
        ),
    )  # fmt: skip


FRESH = Expectation(
    name="fresh", severity=WARNING, reads=(), wanted=Wanted(high="max_age_days"),
    measure=lambda handover: _age(handover), sentence="The partition was written lately; the value is its age in days.",
)  # fmt: skip


PROVEN = frozenset({"schema", "values_known", "rows_unique"})
"""Names of those that `Datasets.write` proves of all rows that it writes: the stage that wrote them need not ask."""


def _schema(handover: Handover) -> Iterator[Finding]:
    wanted = {field.name: field.type for field in handover.dataset.schema}
    found = {field.name: field.type for field in handover.rows.schema}
    strange = [
        f"{name}: {found.get(name, 'missing')}, want {wanted.get(name, 'no such column')}"
        for name in {**wanted, **found}
        if found.get(name) != wanted.get(name)
    ]
    yield Finding(value=float(len(strange)), count=len(wanted), examples=tuple(strange[:3]))


def _unknown(handover: Handover) -> Iterator[Finding]:
    known = [c.name for c in handover.dataset.columns if not c.nullable and c.name in handover.rows.column_names]
    unknown = {name: handover.rows[name].null_count for name in known if handover.rows[name].null_count}
    yield Finding(
        value=float(sum(unknown.values())),
        count=handover.rows.num_rows,
        examples=tuple(f"{name}: {count}" for name, count in unknown.items())[:3],
    )


def _not_finite(handover: Handover) -> Iterator[Finding]:
    strange: dict[str, int] = {}
    for field in handover.dataset.schema:
        if pa.types.is_floating(field.type):
            count = int(pc.sum(pc.invert(pc.is_finite(handover.rows[field.name]))).as_py() or 0)
            strange |= {field.name: count} if count else {}
    yield Finding(
        value=float(sum(strange.values())),
        count=handover.rows.num_rows,
        examples=tuple(f"{name}: {count}" for name, count in strange.items())[:3],
    )


def _repeated(handover: Handover) -> Bools:
    """Return which rows have the key of an earlier row."""
    key = np.zeros(handover.rows.num_rows, dtype=np.int64)
    for name in handover.dataset.unique:
        if pa.types.is_floating(handover.rows.schema.field(name).type):
            values, codes = np.unique(handover.numbers(name), return_inverse=True)
            size = len(values)
        else:
            codes = handover.places(name)
            size = int(codes.max(initial=0)) + 1
        # The codes of a pair are made dense again, so that any number of columns fits into 64 bits.
        key = np.unique(key * (size + 1) + codes + 1, return_inverse=True)[1]
    again = np.ones(len(key), dtype=bool)
    again[np.unique(key, return_index=True)[1]] = False
    return again


def _rows(handover: Handover) -> Iterator[Finding]:
    yield Finding(value=float(handover.rows.num_rows), count=handover.rows.num_rows)


def _age(handover: Handover) -> Iterator[Finding]:
    if handover.written_at is not None:
        days = (handover.now - handover.written_at) / timedelta(days=1)
        yield Finding(value=days, count=handover.rows.num_rows)
