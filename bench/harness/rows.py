"""Rows of declared datasets from whole columns, for tables that are too long to be written record by record."""

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
