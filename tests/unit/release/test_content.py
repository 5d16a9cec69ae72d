"""The content hash: what it depends on, and that anybody can compute it from what its page says."""

import csv
import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from released import released, write_rows

from slac_tasks.release.content import COLUMNS, by_category, content_of
from slac_tasks.storage.datasets import RELEASES
from slac_tasks.storage.datasets.releasing import ReleaseRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

PUBLISHED = datetime(2026, 1, 5, 12, 30, 0, 250, tzinfo=UTC)


def content(*rows: ReleaseRow) -> str:
    return content_of([RELEASES.table(rows)])


def said(row: ReleaseRow, name: str) -> str | None:
    """Return one value as the docstring of the module describes it, in plain Python."""
    value = getattr(row, name)
    if value is None:
        return None
    if name in ("start_sec", "end_sec", "duration_sec"):
        return str(round(value * 1e3))
    if name in ("confidence", "certificate"):
        return str(round(value * 1e6))
    if name == "published_at":
        return str(round((value - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1e6))
    return str(value).lower() if isinstance(value, bool) else str(value)


def by_hand(rows: list[ReleaseRow]) -> str:
    lines = (
        ",".join("" if one is None else '"' + one.replace('"', '""') + '"' for one in (said(row, n) for n in COLUMNS))
        for row in rows
    )
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


TEXTS = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    title=TEXTS, licence=TEXTS, start=st.integers(0, 480).map(lambda half: half / 2), confidence=st.floats(0, 1),
    certificate=st.none() | st.floats(0, 1), published=st.none() | st.just(PUBLISHED), mixed=st.none() | st.booleans(),
)  # fmt: skip
def test_the_hash_is_what_its_page_says(
    title: Any, licence: Any, start: float, confidence: float, certificate: Any, published: Any, mixed: Any
) -> None:
    rows = [
        released(start=start, title=title, licence=licence, confidence=confidence, certificate=certificate),
        released("b" * 16, published_at=published, benchmark=mixed, title=title),
    ]
    assert content(*rows) == by_hand(rows)
    assert list(csv.reader(io.StringIO('"a""b"\n'))) == [['a"b']]


def test_the_hash_of_known_rows_never_changes() -> None:
    assert content(released(), released("b" * 16, label=-1, published_at=PUBLISHED, title='a "b", c')) == (
        "29f901e226a3507db54c802d864ca54099929f42d401d076e12ad3e052bd26c2"
    )


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_that_people_read_counts(name: str) -> None:
    others = {
        "start_sec": 1.001, "end_sec": 3.001, "duration_sec": 59.0, "label": -1, "confidence": 0.5, "support": 3,
        "certificate": 0.04, "benchmark": True, "published_at": PUBLISHED,
    }  # fmt: skip
    assert content(released(**{name: others.get(name, "other")})) != content(released())


def test_where_a_store_holds_the_media_does_not_count() -> None:
    assert content(released(proxy_128="elsewhere", proxy_256="elsewhere")) == content(released())


def test_rows_come_category_by_category_in_whatever_parts_they_lie(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    rows = [released(f"{n:016x}", category=category) for category in ("chess", "judo", "surfing") for n in range(3)]
    whole = write_rows(datasets, "r0001", rows)
    table = RELEASES.table(rows)
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}
    cut = [table.slice(0, 2), table.slice(2, 3), table.slice(5)]
    parts = datasets.write(RELEASES, cut, keys={"release": "r0002"}, **made)
    found = [
        [(category, rows["video_id"].to_pylist()) for category, rows in by_category(datasets, manifest)]
        for manifest in (whole, parts)
    ]
    assert found[0] == found[1]
    assert [category for category, _ in found[0]] == ["chess", "judo", "surfing"]
    one, other = (content_of(rows for _, rows in by_category(datasets, manifest)) for manifest in (whole, parts))
    assert one == other


def test_a_release_of_the_version_before_comes_in_the_fixed_order_whatever_order_it_was_written_in(
    tmp_path: Path,
) -> None:
    assert RELEASES.upgrade is not None
    older = RELEASES.upgrade.previous
    rows = [released(f"{n:016x}", category=category) for n in (1, 0) for category in ("judo", "chess")]
    table = RELEASES.table(rows).select(older.schema.names)
    datasets = Datasets(FolderStore(tmp_path))
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}
    datasets.write(older, [table], keys={"release": "r0001"}, **made)
    found = by_category(datasets, datasets.need(RELEASES, release="r0001"), ["category", "video_id", "start_sec"])
    assert [(category, rows["video_id"].to_pylist()) for category, rows in found] == [
        (category, [f"{n:016x}" for n in (0, 1)]) for category in ("chess", "judo")
    ]
