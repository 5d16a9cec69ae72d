"""A list of names means the same in every format, and one that could mean two things is refused whole."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.errors import BrokenContract
from slac_tasks.given import names

ID = st.text("abcXYZ019-_", min_size=11, max_size=11)
NAMES = st.lists(ID, min_size=1, max_size=5, unique=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("names")


def table(rows: list[list[str]], delimiter: str = ",", end: str = "\r\n") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue().encode()


@given(NAMES, st.sampled_from(names.COLUMNS))
@settings(max_examples=60)
def test_a_list_holds_the_same_names_in_every_format(folder: Path, wanted: list[str], column: str) -> None:
    rows = [["reason", column.upper()], *(["court, order", name] for name in wanted)]
    records = [{"reason": "court order", column: name} for name in wanted]
    forms = {
        **{f"csv {sign}": table(rows, sign) for sign in ",;\t|"},
        "csv of old": table(rows, end="\r"),
        "csv of UTF-16": table(rows).decode().encode("utf-16"),
        "csv without a header": table([[name, "court; order"] for name in wanted]),
        "text": "\n".join(f" {name} " for name in wanted).encode("utf-8-sig"),
        "JSON list": json.dumps(wanted).encode(),
        "JSON objects": json.dumps(records, indent=1).encode(),
        "JSON lines": "\n".join(map(json.dumps, records)).encode(),
    }
    for form, data in forms.items():
        (folder / "list").write_bytes(data)
        assert names.read(folder / "list", "--list") == wanted, form
    pq.write_table(pa.Table.from_pylist(records), folder / "list")
    assert names.read(folder / "list", "--list") == wanted


def test_of_several_names_in_a_line_the_one_that_says_most_counts(folder: Path) -> None:
    (folder / "list").write_bytes(
        table([["id", "url", "video_id"], ["1", "http://a.example/1.mp4", ""], ["2", "", "ab12"]])
    )
    assert names.read(folder / "list", "--list") == ["http://a.example/1.mp4", "ab12"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"good\nabc;court order\n", "line 2: may be 'abc;court order' or 'abc', want a line above"),
        (b"good\nabc\tcourt order\n", "line 2: may be"),
        (b"video_id,reason\nabc,asked\n,asked\n", "line 3: has no name of a video"),
        (b"video_id,reason\nabc,asked\nabd,asked,x,y\n", "line 3: has 4 values"),
        (b'["abc", 5]', "line 1: found 'abc', want a JSON object"),
        (b'[{"video": 1.5}]', "line 1: is the number 1.5, want text"),
        (b'["abc",', "want JSON"),
        (b"[" * 100_000, "want JSON"),
        (b'{"database": {}}', "line 1: has no name of a video"),
        (b"caf\xe9\n", "line 1 is not UTF-8"),
        (b"good\na\x00b\n", "line 2: 'a.x00b' holds a NUL"),
        (b"good\n#NAME?\n", "line 2: is '#NAME.', an error of a spreadsheet"),
        (b"id;reason\n1.23457E+11;asked\n", "line 2: is '1.23457E.11', a number that a spreadsheet has shortened"),
        (b'"open\n', "line 1: unexpected end of data"),
        (b"PAR1", "is no whole parquet"),
        (b"x" * 140_000, "line 1: field larger than field limit"),
    ],
)
def test_a_list_of_which_a_line_is_no_name_is_refused_whole(folder: Path, data: bytes, reason: str) -> None:
    (folder / "list").write_bytes(data)
    with pytest.raises(BrokenContract, match=reason):
        names.read(folder / "list", "--list")
