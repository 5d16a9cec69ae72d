"""The release as one Parquet file, with the columns of the dataset `release`."""

from itertools import islice
from pathlib import Path

import pyarrow.parquet as pq

from slac_tasks.release.exports.contents import Contents
from slac_tasks.storage.datasets import RELEASES

_ROWS = 100_000
"""Rows of one row group."""


def write(release: Contents, path: Path) -> None:
    """Write every row."""
    rows = release.rows()
    # Opened here, since the library opens no name that is not UTF-8.
    with path.open("wb") as file, pq.ParquetWriter(file, RELEASES.schema, compression="zstd") as writer:
        while part := list(islice(rows, _ROWS)):
            writer.write_table(RELEASES.table(part))
