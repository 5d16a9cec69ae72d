"""What a dataset is, declared once: its name, version, keys, and the type of its rows."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

import pyarrow as pa

from slac_tasks.errors import WrongArguments
from slac_tasks.storage.columns import Column, columns_of, to_table

R = TypeVar("R")

_KEY_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """How readers see partitions that were written as the version before."""

    previous: "Dataset[Any]"
    """The version before, as it was declared."""
    change: Callable[[pa.Table], pa.Table] = field(default=lambda rows: rows)
    """Turns rows of the version before, with all their columns, into rows of this one; columns that only this one has
    and that may be unknown are added as unknown."""

    def table(self, rows: pa.Table, schema: pa.Schema) -> pa.Table:
        """Return rows of the version before as rows with this schema."""
        rows = self.change(rows)
        for column in schema:
            if column.name not in rows.column_names:
                rows = rows.append_column(column.name, pa.nulls(rows.num_rows, column.type))
        return rows.select(schema.names)


@dataclass(frozen=True, kw_only=True)
class Dataset(Generic[R]):
    """A declared hand-over: its rows have the type `row`, whose fields are its columns."""

    name: str
    version: int
    keys: tuple[str, ...]
    unique: tuple[str, ...]
    row: type[R]
    meaning: str
    upgrade: Upgrade | None = None
    """Readers accept the version before through it, and refuse every older one."""

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """What its rows hold."""
        return columns_of(self.row)

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the rows."""
        return pa.schema([pa.field(c.name, c.dtype, nullable=c.nullable) for c in self.columns])

    @property
    def readable(self) -> tuple[int, ...]:
        """The versions that readers accept."""
        return (self.version, self.upgrade.previous.version) if self.upgrade else (self.version,)

    def address(self, keys: Mapping[str, str]) -> str:
        """Return the folder of the partition with these keys.

        Raises:
            WrongArguments: a key is missing, unknown, or holds characters that cannot stand in a name.

        """
        if set(keys) != set(self.keys):
            raise WrongArguments(f"dataset {self.name}: keys {sorted(keys)}, want {sorted(self.keys)}")
        for key, value in keys.items():
            if not _KEY_VALUE.fullmatch(value):
                raise WrongArguments(f"dataset {self.name}: {key}={value!r}, want letters, digits, '_', '.', '-'")
        return "/".join([self.name, f"v{self.version}", *(f"{key}={keys[key]}" for key in self.keys)])

    def keys_at(self, address: str) -> dict[str, str] | None:
        """Return the keys of this dataset's partition at an address; None for an address of something else."""
        parts = [self.name, f"v{self.version}", *(f"{key}=({_KEY_VALUE.pattern})" for key in self.keys)]
        match = re.fullmatch("/".join(parts), address)
        return dict(zip(self.keys, match.groups(), strict=True)) if match else None

    def table(self, rows: Iterable[R]) -> pa.Table:
        """Make a table of this dataset's schema from its rows."""
        return to_table(rows, self.row, self.schema)

    def from_records(self, records: Iterable[Mapping[str, Any]]) -> pa.Table:
        """Make a table of this dataset's schema from plain records; a column that one lacks is unknown."""
        return pa.Table.from_pylist(list(records), schema=self.schema)
