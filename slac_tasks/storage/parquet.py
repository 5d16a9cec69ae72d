"""Parquet bytes to a table and back: the one place that chooses how Arrow reads.

Arrow reads a file of Python with threads of its own. Such a thread closes the file when the rows are read already,
and needs the interpreter for that. If the process ends at that moment, it is aborted (SIGABRT, "terminate called
without an active exception"), and a stage that is done looks broken. Parts are small and in memory, so the calling
thread reads them alone.
"""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq


def encode(table: pa.Table) -> bytes:
    """Return the table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def decode(data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of the bytes of a Parquet file; no thread is started.

    Args:
        data: the file.
        columns: what is read of it; None: all columns.

    Raises:
        pyarrow.ArrowInvalid: the bytes are no Parquet file.

    """
    with pq.ParquetFile(pa.BufferReader(data), pre_buffer=False) as file:
        table = file.read(None if columns is None else list(columns), use_threads=False)
    return table if columns is None else table.select(list(columns))
