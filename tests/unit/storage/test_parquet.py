"""The bytes of Parquet: what is read is what was written, and no thread outlives the reading."""

import subprocess
import sys

import pyarrow as pa
import pytest

from slac_tasks.storage.parquet import decode, encode

TABLE = pa.table({"clip_id": ["a:0", "b:2000"], "score": [0.25, None], "votes": [[1, 2], []]})


def test_what_is_read_is_what_was_written() -> None:
    assert decode(encode(TABLE)).equals(TABLE)


def test_only_the_columns_that_are_wanted_are_read_and_in_that_order() -> None:
    assert decode(encode(TABLE), ["votes", "clip_id"]).equals(TABLE.select(["votes", "clip_id"]))


def test_rows_stay_when_no_column_is_wanted() -> None:
    assert decode(encode(TABLE), []).num_rows == TABLE.num_rows


def test_other_bytes_are_refused() -> None:
    with pytest.raises(pa.ArrowInvalid):
        decode(b"no parquet")


def test_reading_starts_no_thread_that_the_end_of_a_process_could_cut_off() -> None:
    """With Arrow's own threads half of such processes end with SIGABRT."""
    script = """
import os, sys
import pyarrow as pa
from slac_tasks.storage.parquet import decode, encode
data = encode(pa.table({name: list(range(2000)) for name in "abcdef"}))
before = len(os.listdir("/proc/self/task"))
decode(data), decode(data, ["a"])
assert len(os.listdir("/proc/self/task")) == before
"""
    subprocess.run([sys.executable, "-c", script], check=True)
