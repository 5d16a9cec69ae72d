"""Rows for tables that are too long to be written record by record: of declared datasets, and of the ledger."""

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pyarrow as pa

from slac_tasks.storage.declarations import Dataset


def filled(dataset: Dataset[Any], **columns: object) -> pa.Table:
    """Return a dataset's table from its columns; a declared column that is not given and may be unknown is null.

    Args:
        dataset: what declares the columns. `Datasets.write` refuses a table that lacks any other one.
        columns: lists or arrays, all of one length.

    """
    given = pa.table(columns)
    unknown = [column for column in dataset.columns if column.nullable and column.name not in columns]
    for column in unknown:
        given = given.append_column(column.name, pa.nulls(given.num_rows, column.dtype))
    return given


def copy(cursor: Any, target: str, lines: Iterator[str]) -> None:
    """COPY lines of text into a table of Postgres, some at a time.

    Args:
        cursor: of psycopg2.
        target: the table, and its columns in parentheses.
        lines: values between tabs, each line with its end.

    """
    while part := "".join(islice(lines, 20_000)):
        cursor.copy_expert(f"COPY {target} FROM STDIN", io.StringIO(part))
