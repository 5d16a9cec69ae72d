"""Rows and columns: one frozen dataclass declares both, and rows come back as they were written."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.storage.columns import Int32, columns_of, from_table
from slac_tasks.storage.datasets import ALL, FETCHED
from slac_tasks.storage.datasets.collecting import FetchedRow, Span

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SECONDS = st.floats(0, 1e6)
FETCHED_ROWS = st.builds(
    FetchedRow, candidate_id=TEXT, source=TEXT, source_id=TEXT, title=st.none() | TEXT, licence=st.none() | TEXT,
    published_at=st.none() | st.datetimes(timezones=st.just(UTC)), location=st.none() | TEXT, duration_sec=SECONDS,
    fps=SECONDS, proxy_256=TEXT, proxy_128=TEXT, proxy_sha256=TEXT,
    shots=st.lists(st.builds(Span, start_sec=SECONDS, end_sec=SECONDS), max_size=3).map(tuple), video_id=TEXT,
    media_sha256=TEXT, size_bytes=st.integers(0, 2**62), codec=TEXT, width=st.integers(0, 2**31 - 1),
    height=st.integers(0, 2**31 - 1), frame_hashes=st.lists(st.integers(0, 2**64 - 1), max_size=4).map(tuple),
)  # fmt: skip


@settings(max_examples=50)
@given(rows=st.lists(FETCHED_ROWS, max_size=4))
def test_rows_come_back_from_a_table_as_they_were(rows: list[FetchedRow]) -> None:
    assert from_table(FETCHED.table(rows), FetchedRow) == rows


def test_every_dataset_declares_its_columns_by_its_rows() -> None:
    for dataset in ALL.values():
        assert dataset.schema.names == [column.name for column in dataset.columns]
        assert all(column.meaning for column in dataset.columns)
        assert set(dataset.unique) <= set(dataset.schema.names)
        version = dataset
        while version.upgrade:
            version = version.upgrade.previous
            assert version.columns


@dataclass(frozen=True, kw_only=True)
class Seen:
    at: Annotated[datetime | None, "when"]
    people: Annotated[Int32 | None, "how many"] = None


def test_the_type_of_a_field_is_the_type_of_its_column() -> None:
    at, people = columns_of(Seen)
    assert (at.dtype, at.nullable) == (pa.timestamp("us", tz="UTC"), True)
    assert (people.dtype, people.nullable) == (pa.int32(), True)


@dataclass(frozen=True, kw_only=True)
class Silent:
    people: int


@dataclass(frozen=True, kw_only=True)
class Strange:
    people: Annotated[set, "who"]


@pytest.mark.parametrize(("row", "word"), [(Silent, "has no meaning"), (Strange, "is no column's type")])
def test_a_field_that_can_be_no_column_is_refused(row: type, word: str) -> None:
    with pytest.raises(TypeError, match=word):
        columns_of(row)


def test_the_changes_say_what_is_unknown_of_each_dataset_of_the_version_before():
    changes = (Path(__file__).parents[3] / "CHANGELOG.md").read_text()
    rows = {f"| `{name}` | {dataset.version} |" for name, dataset in ALL.items() if dataset.upgrade}
    assert [row for row in sorted(rows) if row not in changes] == []
