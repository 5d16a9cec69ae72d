"""A table says the same in each format and with each column type that its writer chose."""

import csv
import datetime as dt
import io
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.errors import BrokenContract
from slac_tasks.given import cells, tables
from slac_tasks.given.words import fault_of

NEEDED, KNOWN = ("name", "title"), ("name", "title", "when", "size")
WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00\r\n\ufeff"), min_size=1, max_size=9)


def parquet_of(column: str) -> bytes:
    """The bytes of a parquet with one column."""
    written = io.BytesIO()
    pq.write_table(pa.table({column: ["x"]}), written)
    return written.getvalue()


def read(path: Path) -> list[tables.Line]:
    return list(tables.lines(path, "table", needed=NEEDED, known=KNOWN))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5), st.sampled_from(",;\t|"))
@settings(max_examples=60)
def test_a_table_is_the_same_in_every_format(folder: Path, rows: list[tuple[str, str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([(" Name", "TITLE"), *rows])
    records = [{"name": name, "title": title} for name, title in rows]
    (folder / "a.txt").write_bytes(text.getvalue().encode("utf-8-sig"))
    (folder / "b.txt").write_bytes(text.getvalue().encode("utf-16"))
    (folder / "c.csv").write_text("\n".join(json.dumps(record) for record in records))
    (folder / "cr.csv").write_text("\r".join(json.dumps(record) for record in records))
    (folder / "d.csv").write_text(json.dumps(records))
    pq.write_table(pa.Table.from_pylist(records), folder / "e.csv")
    # No UTF-8, as names in old archives.
    latin = os.fsdecode(b"caf\xe9.csv")
    (folder / latin).write_bytes((folder / "e.csv").read_bytes())
    for name in ("a.txt", "b.txt", "c.csv", "cr.csv", "d.csv", "e.csv", latin):
        found = read(folder / name)
        assert [(line.cells["name"], line.cells["title"]) for line in found] == rows, name


DAY = dt.date(2026, 1, 6)
NOON = dt.datetime(2026, 1, 6, 12)
TYPES = [
    # type, value, as text or moment
    (pa.string(), "123", "123"), (pa.large_string(), "123", "123"), (pa.binary(), b"123", "123"),
    (pa.dictionary(pa.int8(), pa.string()), "123", "123"), (pa.dictionary(pa.int32(), pa.large_string()), "123", "123"),
    *((kind, 123, "123") for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64())),
    (pa.decimal128(20, 0), Decimal(123), "123"), (pa.null(), None, None), (pa.float64(), float("nan"), None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "wanted"), TYPES, ids=lambda value: str(value))
def test_a_name_has_whatever_type_holds_it(folder: Path, kind: pa.DataType, value: Any, wanted: str | None) -> None:
    array = (
        pa.array(["123"]).dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else pa.array([value], kind)
    )
    pq.write_table(pa.table({"name": array, "title": ["t"]}), folder / "t.parquet")
    (line,) = read(folder / "t.parquet")
    assert cells.text(line.cells["name"]) == wanted


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        *((pa.timestamp(unit), NOON, NOON) for unit in ("s", "ms", "us", "ns")),
        # A zone that no machine knows changes no moment.
        *(
            (pa.timestamp(unit, zone), NOON.replace(tzinfo=dt.UTC), NOON)
            for unit in ("ms", "us", "ns")
            for zone in ("Asia/Tokyo", "+05:30", "Mars/Phobos")
        ),
        (pa.date32(), DAY, dt.datetime(2026, 1, 6)),
        (pa.date64(), DAY, dt.datetime(2026, 1, 6)),
        (pa.string(), "2026-01-06T12:00:00Z", NOON),
        (pa.timestamp("ns"), None, None),
    ],
    ids=lambda value: str(value),
)
def test_a_moment_has_whatever_type_holds_it(folder: Path, kind: Any, value: Any, wanted: Any) -> None:
    pq.write_table(pa.table({"name": ["n"], "title": ["t"], "when": pa.array([value], kind)}), folder / "t.parquet")
    (line,) = read(folder / "t.parquet")
    assert cells.moment(line.cells["when"], zone=False) == (wanted and wanted.replace(tzinfo=dt.UTC))


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2**50, 0], pa.int64()).cast(pa.timestamp("s")),
        pa.array([2**30, 0], pa.int32()).cast(pa.date32()),
        pa.Array.from_buffers(pa.string(), 2, [*pa.array(["\u00e9", "ok"]).buffers()[:2], pa.py_buffer(b"\xff\xffok")]),
        pa.array([["list"], []], pa.list_(pa.string())),
        pa.array([{"a": 1}, None], pa.struct([("a", pa.int64())])),
        pa.array([True, None]),
    ],
    ids=["year", "day", "utf8", "list", "struct", "bool"],
)
def test_a_cell_that_cannot_be_read_holds_up_no_other_line(folder: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"name": ["a", "b"], "title": ["t", "t"], "when": column}), folder / "t.parquet")
    first, second = read(folder / "t.parquet")
    for line in (first, second):
        assert cells.text(line.cells["title"]) == "t"
    with pytest.raises(cells.Unclear):
        cells.text(first.cells["when"])


def test_a_line_that_is_none_is_handed_on_with_its_fault(folder: Path) -> None:
    path = folder / "bad.txt"
    path.write_text("name,title\na,b\nc,d,e\nf\n\ng,h\n")
    assert [(line.number, line.fault[:12], dict(line.cells)) for line in read(path)] == [
        (2, "", {"name": "a", "title": "b"}), (3, "has 3 values", {}), (4, "", {"name": "f"}),
        (6, "", {"name": "g", "title": "h"}),
    ]  # fmt: skip
    path.write_text('{"name": "a"}\n[1]\n{"name": "a", "Name": "b"}\n{half\n{"name": "z"}\n' + "[" * 3000 + "\n")
    assert [bool(line.fault) for line in read(path)] == [False, True, True, True, False, True]
    assert "'Name' twice, as 'a' and 'b'" in read(path)[2].fault
    path.write_text('{"name": "a"},\n{"name": "b", "size": ' + "9" * 5000 + "}\n")
    first, second = read(path)
    assert first.fault == 'found \'{"name": "a"},\', want a JSON object (Extra data: line 1 column 14 (char 13))'
    assert second.cells["name"] == "b"


ODD = {
    "open quote": b'"open,t', "stray quote": b'"a" b,t', "quote that swallows": b'a,"b', "no UTF-8": b"caf\xe9,t",
    "cell without end": b"x" * 140_000, "header again": b"Name , TITLE",
    "header with a mark": b"\xef\xbb\xbfname,title",
    "too many values": b"a,b,c", "NUL": b"a\x00,t",
}  # fmt: skip


@given(
    st.lists(st.one_of(WORDS, st.just("two\nlines"), st.just('"')), min_size=1, max_size=6), st.integers(0, 6),
    st.sampled_from(sorted(ODD)), st.sampled_from(["\n", "\r\n", "\r"]),
)  # fmt: skip
@settings(max_examples=120)
def test_an_odd_line_of_a_csv_holds_up_no_other(folder: Path, titles: list[str], at: int, odd: str, end: str) -> None:
    def written(rows: list[list[str]]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
        return text.getvalue().encode()

    rows = [[f"name {number}", title] for number, title in enumerate(titles)]
    before = written([["name", "title"], *rows[:at]])
    (folder / "odd.csv").write_bytes(before + ODD[odd] + end.encode() + written(rows[at:]))
    found = read(folder / "odd.csv")
    good = [line for line in found if str(line.cells.get("name")).startswith("name ")]
    assert [(line.cells["name"], line.cells["title"]) for line in good] == [tuple(row) for row in rows]
    (own,) = [line for line in found if line not in good]
    assert own.number == len(before.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    if not own.fault:
        assert odd in ("no UTF-8", "NUL")
        assert fault_of(own.cells["name"])


def test_a_name_that_an_object_has_twice_is_no_value_in_either_json(folder: Path) -> None:
    entry = '{"name": "a", "name": "b", "title": "t"}'
    (folder / "t.json").write_text(f"{entry}\n")
    (line,) = read(folder / "t.json")
    assert line.fault == "has 'name' twice, as 'a' and 'b', want one"
    (folder / "t.json").write_text(f"[{entry}]")
    (line,) = read(folder / "t.json")
    with pytest.raises(cells.Unclear, match="there 2 times, as 'a' and 'b', want text"):
        cells.text(line.cells["name"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"x" * 200_000, "line 1: field larger than field limit"),
        (b"name\n", "want also \\['title'\\]"),
        (b"name,title,NAME\n", "columns \\['name'\\] are there twice"),
        (b'"name,title\n', "line 1: unexpected end of data, want a csv line"),
        (b"PAR1 and no more", "is no whole parquet file"),
        (parquet_of("caf_").replace(b"caf_", b"caf\xe9"), "is no whole parquet file: 'utf-8' codec"),
        (b"caf\xe9,title", "columns \\['caf.udce9', 'title'\\], want also \\['name'\\]"),
        (b"[{]", "want a JSON list"),
        (b"[" * 10_000, "is nested too deeply to be read, want a JSON list"),
    ],
)
def test_what_is_no_such_table_is_refused_whole(folder: Path, data: bytes, reason: str) -> None:
    (folder / "t").write_bytes(data)
    with pytest.raises(BrokenContract, match=reason):
        read(folder / "t")
