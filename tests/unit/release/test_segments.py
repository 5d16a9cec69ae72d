"""Dense labels of a release: which join it, why others do not, and that others read the file."""

import json
from pathlib import Path
from typing import Any

import pytest
from release_rows import release_of, release_row

from slac_tasks.annotations.reading import read
from slac_tasks.release.exports import EXPORTS
from slac_tasks.release.segments import dense_labels
from slac_tasks.storage.datasets.releasing import ReleasedSegmentRow
from slac_tasks.storage.datasets.segmenting import SegmentLabelRow
from slac_tasks.storage.manifests import Drop

ROWS = [release_row(1, 2.0), release_row(2, 4.0), release_row(3, 4.0)]


def label(name: str, video: int, **changes: Any) -> SegmentLabelRow:
    values = {
        "segment_id": name, "category": "high_jump", "video_id": f"{video:016x}", "split": "training",
        "start_sec": 10.0, "end_sec": 20.0, "score": 0.5, "origin": "net", "round": "net.1", "kind": "people",
        "status": "settled", "present": True, "label_start_sec": 11.0, "label_end_sec": 19.5, "tiou": 0.85,
        "method": "two_agree.1", "right": 1, "moved": 1, "absent": 0, "unsure": 0, "votes": ("a", "b"),
    }  # fmt: skip
    return SegmentLabelRow(**(values | changes))


ABSENT = {"present": False, "label_start_sec": None, "label_end_sec": None, "tiou": None, "absent": 2}
LABELS = [
    label("there", 1),
    label("absent", 2, **ABSENT),
    label("open", 1, status="open", present=None),
    label("other", 1, category="yoga"),
    label("unknown", 9),
    label("gone", 3),
]


@pytest.fixture
def released() -> tuple[list[ReleasedSegmentRow], list[Drop]]:
    drops: list[Drop] = []
    return list(dense_labels(LABELS, ROWS, frozenset({f"{3:016x}"}), drops)), drops


def test_settled_labels_of_released_videos_join_and_the_others_say_why_not(
    released: tuple[list[ReleasedSegmentRow], list[Drop]],
) -> None:
    rows, drops = released
    assert [(row.segment_id, row.label, row.start_sec, row.end_sec, row.support) for row in rows] == [
        ("there", 1, 11.0, 19.5, 2), ("absent", -1, 10.0, 20.0, 2),
    ]  # fmt: skip
    # Name and split are those that the release gives the video.
    assert [(row.name, row.split, row.tiou) for row in rows] == [
        ("name_000001", "validation", 0.85), (f"{2:016x}", "testing", None),
    ]  # fmt: skip
    assert {(drop.item, drop.reason) for drop in drops} == {
        ("other", "category"), ("unknown", "video"), ("gone", "withdrawn"),
    }  # fmt: skip


def test_the_file_is_read_as_activitynets(
    released: tuple[list[ReleasedSegmentRow], list[Drop]], tmp_path: Path
) -> None:
    rows, _ = released
    EXPORTS["segments"].write(release_of(ROWS, segments=lambda: iter(rows)), tmp_path / "segments.json")
    found = read([tmp_path / "segments.json"])
    assert not found.odd
    assert [(one.video, one.label, one.start_sec, one.end_sec, one.split) for one in found.labels] == [
        ("name_000001", "High jump", 11.0, 19.5, "validation"),
    ]  # fmt: skip
    assert sorted(found.videos) == sorted([f"{2:016x}", "name_000001"])
    database = json.loads((tmp_path / "segments.json").read_text())["database"]
    assert database["name_000001"]["url"] == "https://media.example/1"
    assert database[f"{2:016x}"]["annotations"] == []
