"""Columns of datasets, derived from the row types that stages use: one frozen dataclass declares both.

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Clip:
        clip_id: Annotated[str, "video_id:start_ms"]
        people: Annotated[Int32 | None, "people found in the shot; null when no detector looked"]

A field's type gives the Arrow type, `| None` says that a value may be unknown, and the last annotation is the meaning.
"""

import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa

R = TypeVar("R")

Int8 = Annotated[int, pa.int8()]
Int32 = Annotated[int, pa.int32()]
Float32 = Annotated[float, pa.float32()]

_DTYPES: Mapping[Any, pa.DataType] = {
    str: pa.string(),
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    datetime: pa.timestamp("us", tz="UTC"),
    tuple[str, ...]: pa.list_(pa.string()),
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its Arrow type, whether a value may be unknown (null), and what it means, with its unit."""

    name: str
    dtype: pa.DataType
    meaning: str
    nullable: bool = False


def columns_of(row: "type[Any]") -> tuple[Column, ...]:
    """Return the columns that a row type declares, in the order of its fields.

    Raises:
        TypeError: a field has no meaning, or a type that no column can have.

    """
    hints = get_type_hints(row, include_extras=True)
    return tuple(_column(row, field.name, hints[field.name]) for field in dataclasses.fields(row))


def _column(row: type, name: str, hint: Any) -> Column:
    if get_origin(hint) is not Annotated or not isinstance(hint.__metadata__[-1], str):
        raise TypeError(f"row {row.__name__}.{name}: has no meaning, want Annotated[<type>, '<meaning, with unit>']")
    *given, meaning = hint.__metadata__
    kind, nullable = _without_none(hint.__origin__)
    if get_origin(kind) is Annotated:
        given, kind = [*given, *kind.__metadata__], kind.__origin__
    dtype = given[0] if given else _DTYPES.get(kind)
    if dtype is None:
        raise TypeError(f"row {row.__name__}.{name}: {kind} is no column's type, want one of {list(_DTYPES)}")
    return Column(name=name, dtype=dtype, meaning=meaning, nullable=nullable)


def _without_none(hint: Any) -> tuple[Any, bool]:
    """Return (the type without None, whether None was part of it)."""
    if get_origin(hint) in (types.UnionType, Union):
        (kind,) = (one for one in get_args(hint) if one is not type(None))
        return kind, True
    return hint, False


def to_table(rows: Iterable[Any], row: type, schema: pa.Schema) -> pa.Table:
    """Return the rows as a table with this schema."""
    nested = {field.name for field in dataclasses.fields(row) if _nested(row, field.name)}
    names = [field.name for field in dataclasses.fields(row)]

    def record(one: Any) -> dict[str, Any]:
        return {
            name: [dataclasses.asdict(part) for part in getattr(one, name)] if name in nested else getattr(one, name)
            for name in names
        }

    return pa.Table.from_pylist([record(one) for one in rows], schema=schema)


def from_table(table: pa.Table, row: type[R]) -> list[R]:
    """Return the rows of a table that holds all columns of the row type; lists become tuples."""
    mends: dict[str, Callable[[Any], Any]] = {}
    for field in dataclasses.fields(row):  # type: ignore[arg-type]
        if part := _nested(row, field.name):
            mends[field.name] = _tuple_of(part)
        elif pa.types.is_list(table.schema.field(field.name).type):
            mends[field.name] = tuple
    records = table.to_pylist()
    for record in records:
        for name, mend in mends.items():
            if record[name] is not None:
                record[name] = mend(record[name])
    return [row(**record) for record in records]


def _tuple_of(part: "type[Any]") -> Callable[[Any], Any]:
    return lambda parts: tuple(part(**one) for one in parts)


def _nested(row: "type[Any]", name: str) -> Any:
    """Return the dataclass of which a field holds a tuple; None for other fields."""
    kind, _ = _without_none(get_type_hints(row)[name])
    parts = get_args(kind) if get_origin(kind) is tuple else ()
    return parts[0] if parts and dataclasses.is_dataclass(parts[0]) else None
