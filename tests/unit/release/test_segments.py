"""Dense labels of a release: which join it, why others do not, and that others read the file."""

import json
import random
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from release_rows import release_of, release_row

from slac_tasks.annotations.reading import read
from slac_tasks.release.exports import EXPORTS
from slac_tasks.release.segments import dense_labels
from slac_tasks.storage.datasets.releasing import ReleasedSegmentRow
from slac_tasks.storage.datasets.segmenting import SegmentLabelRow
from slac_tasks.storage.manifests import Drop
from slac_tasks.verification.segments.deciding import tiou

ROWS = [release_row(1, 2.0), release_row(2, 4.0), release_row(3, 4.0)]


def label(name: str, video: int, **changes: Any) -> SegmentLabelRow:
    values = {
        "segment_id": name, "category": "high_jump", "video_id": f"{video:016x}", "split": "training",
        "start_sec": 10.0, "end_sec": 20.0, "score": 0.5, "origin": "net", "round": "net.1", "kind": "people",
        "status": "settled", "present": True, "label_start_sec": 11.0, "label_end_sec": 19.5, "tiou": 0.85,
        "method": "two_agree.1", "right": 1, "moved": 1, "absent": 0, "unsure": 0, "votes": ("a", "b"),
    }  # fmt: skip
    return SegmentLabelRow(**(values | changes))


ABSENT = {"present": False, "label_start_sec": None, "label_end_sec": None, "tiou": None, "absent": 3}
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
    return dense_labels(LABELS, ROWS, frozenset({f"{3:016x}"}), drops, tiou_same=0.5), drops


def test_settled_labels_of_released_videos_join_and_the_others_say_why_not(
    released: tuple[list[ReleasedSegmentRow], list[Drop]],
) -> None:
    rows, drops = released
    assert [(row.segment_id, row.label, row.start_sec, row.end_sec, row.support) for row in rows] == [
        ("there", 1, 11.0, 19.5, 2), ("absent", -1, 10.0, 20.0, 3),
    ]  # fmt: skip
    # Name and split are those that the release gives the video.
    assert [(row.name, row.split, row.tiou) for row in rows] == [
        ("name_000001", "validation", 0.85), (f"{2:016x}", "testing", None),
    ]  # fmt: skip
    assert {(drop.item, drop.reason) for drop in drops} == {
        ("other", "category"), ("unknown", "video"), ("gone", "withdrawn"),
    }  # fmt: skip


@given(
    videos=st.lists(
        st.tuples(st.sampled_from(("high_jump", "judo")), st.integers(1, 2), st.booleans(), st.integers(0, 6),
                  st.integers(1, 6), st.integers(1, 3)),
        max_size=8,
    ),
    shuffled=st.randoms(use_true_random=False),
)  # fmt: skip
def test_an_action_is_released_once_and_no_moment_as_both_whatever_people_moved(
    videos: list[tuple[str, int, bool, int, int, int]], shuffled: random.Random
) -> None:
    labels = [
        label(
            f"{number:016x}", video, category=category, start_sec=9.0 - start, end_sec=10.0 + start,
            **({"label_start_sec": float(start), "label_end_sec": float(start + length), "moved": people}
               if present else ABSENT),
        )
        for number, (category, video, present, start, length, people) in enumerate(videos)
    ]  # fmt: skip
    rows = [*ROWS, *(replace(row, category="judo") for row in ROWS)]
    drops: list[Drop] = []
    found = dense_labels(labels, rows, frozenset(), drops, tiou_same=0.5)
    assert [(row.category, row.video_id, row.start_sec) for row in found] == sorted(
        (row.category, row.video_id, row.start_sec) for row in found
    )
    assert {row.segment_id for row in found}.isdisjoint(drop.item for drop in drops)
    assert len(found) + len(drops) == len(labels)
    kept = {row.segment_id: row for row in found if row.label == 1}
    for one, other in combinations(found, 2):
        if one.label + other.label > -2 and (one.category, one.video_id) == (other.category, other.video_id):
            shared = tiou((one.start_sec, one.end_sec), (other.start_sec, other.end_sec))
            assert shared < 0.5 if one.label == other.label else shared == 0
    by_id = {one.segment_id: one for one in labels}
    for drop in drops:
        lost, stays = by_id[drop.item], kept[drop.detail.rpartition(" ")[2]]
        assert drop.reason == ("the same" if lost.present else "contradicted")
        assert (lost.category, lost.video_id) == (stays.category, stays.video_id)
        assert not lost.present or lost.right + lost.moved <= stays.support
        ends = (lost.label_start_sec, lost.label_end_sec) if lost.present else (lost.start_sec, lost.end_sec)
        shared = tiou(ends, (stays.start_sec, stays.end_sec))
        assert shared >= 0.5 if lost.present else shared > 0
    shuffled.shuffle(labels)
    assert dense_labels(labels, rows, frozenset(), [], tiou_same=0.5) == found


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
