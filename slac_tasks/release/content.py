"""The rows of a release category by category, and the hash that names what they say.

Rows stand in a fixed order: category, video_id, start. The hash is the SHA-256 of one line for each row, in this order:
the columns of `COLUMNS`, each in double quotes (one inside is doubled), commas between them, a newline after each row,
and nothing at all for what is unknown. Times are whole milliseconds, `published_at` whole microseconds since 1970,
shares whole millionths, rounded half to even. So the hash does not depend on the library that wrote the rows (ours).
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

ORDER = [("category", "ascending"), ("video_id", "ascending"), ("start_sec", "ascending")]

_OF_THE_STORE = ("clip_id", "proxy_128", "proxy_256")
"""What says nothing that other columns do not say, or where an object lies."""

COLUMNS = tuple(name for name in RELEASES.schema.names if name not in _OF_THE_STORE)
"""The columns that count, in their order."""


def _thousandths(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.round(pc.multiply(column, 1e3), round_mode="half_to_even").cast(pa.int64())


def _millionths(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.round(pc.multiply(column, 1e6), round_mode="half_to_even").cast(pa.int64())


_WHOLE: Mapping[str, Callable[[pa.ChunkedArray], pa.ChunkedArray]] = {
    **dict.fromkeys(("start_sec", "end_sec", "duration_sec"), _thousandths),
    **dict.fromkeys(("confidence", "certificate"), _millionths),
    "published_at": lambda column: column.cast(pa.int64()),
}
"""How numbers with fractions become whole ones."""


def canonical(rows: pa.Table) -> pa.Table:
    """Return the columns that count as text, one value each."""
    columns = {name: _WHOLE.get(name, lambda column: column)(rows[name]).cast(pa.string()) for name in COLUMNS}
    return pa.table(columns)


def content_of(tables: Iterable[pa.Table]) -> str:
    """Return the hash of rows that come in their fixed order."""
    digest = hashlib.sha256()
    for table in tables:
        lines = io.BytesIO()
        pacsv.write_csv(canonical(table), lines, pacsv.WriteOptions(include_header=False, quoting_style="all_valid"))
        digest.update(lines.getbuffer())
    return digest.hexdigest()


def by_category(
    datasets: Datasets, manifest: Manifest, columns: Sequence[str] | None = None
) -> Iterator[tuple[str, pa.Table]]:
    """Yield (category, its rows in their fixed order); memory holds one category at a time.

    Args:
        datasets: where the release is.
        manifest: of its rows. Releases of version 2 are sorted here, all at once.
        columns: names of the columns that are wanted, those of `ORDER` among them; None: all.

    """
    tables: Iterable[pa.Table] = datasets.tables(manifest, columns)
    if manifest.is_older:
        tables = [pa.concat_tables(tables).sort_by(ORDER)]
    for category, pieces in groupby(_pieces(tables), key=lambda piece: piece[0]):
        yield category, pa.concat_tables([table for _, table in pieces])


def _pieces(tables: Iterable[pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """Yield (category, the rows of one table that are its own)."""
    for table in tables:
        first = 0
        counts = table["category"].value_counts().to_pylist()  # in the order in which they come
        for count in counts:
            yield count["values"], table.slice(first, count["counts"])
            first += count["counts"]
