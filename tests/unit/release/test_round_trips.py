"""What goes out comes back: each export that `slac import` can read gives the labels of the release again.

What a format cannot hold is said here: ActivityNet and Kinetics know no clip that lacks the action, so those labels
stay behind; Kinetics names no video without a clip; a task of Label Studio names clip and category by their keys.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from release_rows import NAMES, ROWS, release_of

from slac_tasks.annotations.reading import Published, read
from slac_tasks.annotations.rows import Row
from slac_tasks.release.exports import EXPORTS
from slac_tasks.storage.datasets.releasing import ReleaseRow

Label = tuple[str, str, float | None, float | None, bool, str]


def labels(found: Published) -> set[Label]:
    return {said(row) for row in found.labels}


def said(row: Row) -> Label:
    assert row.label is not None
    return (row.video, row.label, row.start_sec, row.end_sec, row.positive, str(row.split))


def of_release(rows: Sequence[ReleaseRow]) -> set[Label]:
    return {(row.name, NAMES[row.category], row.start_sec, row.end_sec, row.label == 1, row.split) for row in rows}


def by_clip(rows: Sequence[ReleaseRow]) -> set[Label]:
    return {(row.video_id, row.category, row.start_sec, row.end_sec, row.label == 1, row.split) for row in rows}


def positive(rows: Sequence[ReleaseRow]) -> set[Label]:
    return {label for label in of_release(rows) if label[4]}


FORMATS = [
    # format, what comes back, whether every video does
    ("hacs", of_release, True), ("coco", of_release, True), ("label_studio", by_clip, False),
    ("activitynet", positive, True), ("kinetics", positive, False),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.mark.parametrize(("name", "wanted", "every_video"), FORMATS, ids=[name for name, *_ in FORMATS])
@given(rows=ROWS)
@settings(max_examples=25)
def test_what_goes_out_comes_back(
    folder: Path, name: str, wanted: Callable[[Sequence[ReleaseRow]], set[Label]], every_video: bool,
    rows: list[ReleaseRow],
) -> None:  # fmt: skip
    path = folder / EXPORTS[name].file
    EXPORTS[name].write(release_of(rows), path)
    found = read([path])
    assert (labels(found), found.odd) == (wanted(rows), ())
    if every_video:
        assert set(found.videos) == {row.name for row in rows}


@given(rows=ROWS)
@settings(max_examples=10)
def test_an_export_of_what_came_back_is_equal_to_the_byte(folder: Path, rows: list[ReleaseRow]) -> None:
    for name in ("hacs", "kinetics", "activitynet", "coco"):
        first, second = folder / "first", folder / "second"
        EXPORTS[name].write(release_of(rows), first)
        EXPORTS[name].write(release_of(list(reversed(rows))), second)
        assert first.read_bytes() == second.read_bytes(), name
