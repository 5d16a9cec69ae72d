"""Exports: every format can be read back, and no two videos ever become one."""

import csv
import json
import os
from pathlib import Path

import pyarrow.parquet as pq

from slac_tasks.release.exports import EXPORTS
from slac_tasks.release.exports.contents import Contents
from slac_tasks.storage.columns import from_table
from slac_tasks.storage.datasets.releasing import ReleaseRow

NAMED = {"a2X2hz1G6i8": "a2X2hz1G6i8"}


def row(video_id: str, source_id: str, start: float, label: int = 1, split: str = "training") -> ReleaseRow:
    return ReleaseRow(
        clip_id=f"{video_id}:{round(start * 1000)}", video_id=video_id, start_sec=start, end_sec=start + 2, split=split,
        category="high_jump", label=label, confidence=1.0, strategy="random", round="2026-01-05.p1", source="a.csv",
        source_id=source_id, duration_sec=60.0, proxy_128="128", proxy_256="256",
        kind="people", support=2, certificate=None, benchmark=None,
        name=NAMED.get(source_id, video_id), group_id=video_id,
        title=None, licence="CC BY 4.0", url=None, published_at=None, proxy_sha256="0",
    )  # fmt: skip


def contents(*rows: ReleaseRow) -> Contents:
    return Contents(release="r0001", number="1.0.0", rows=lambda: iter(rows), names={"high_jump": "High jump"})


def test_videos_of_two_manifests_with_one_name_stay_two(tmp_path: Path) -> None:
    two = contents(row("a" * 16, "clip_000001", 1.0), row("b" * 16, "clip_000001", 1.0, split="testing"))
    EXPORTS["activitynet"].write(two, tmp_path / "a.json")
    found = json.loads((tmp_path / "a.json").read_text())["database"]
    assert {name: video["subset"] for name, video in found.items()} == {"a" * 16: "training", "b" * 16: "testing"}


def test_every_format_is_written_where_a_name_is_not_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    for export in EXPORTS.values():
        export.write(contents(row("a" * 16, "a2X2hz1G6i8", 15.5)), folder / export.file)
        assert (folder / export.file).stat().st_size, export.name


def test_every_format_holds_every_label(tmp_path: Path) -> None:
    rows = [row("a" * 16, "a2X2hz1G6i8", 15.5), row("b" * 16, "jump, high.mp4", 3.0, label=-1, split="validation")]
    for export in EXPORTS.values():
        export.write(contents(*rows), tmp_path / export.file)
        assert (tmp_path / export.file).is_dir() == export.folder, export.name
        assert (tmp_path / export.file).stat().st_size, export.name
    lines = list(csv.reader((tmp_path / "clips.csv").read_text().splitlines()))
    assert lines == [
        ["classname", "youtube_id", "subset", "start", "end", "label"],
        ["High jump", "a2X2hz1G6i8", "training", "15.5", "17.5", "1"],
        ["High jump", "b" * 16, "validation", "3.0", "5.0", "-1"],
    ]
    assert from_table(pq.read_table(tmp_path / "labels.parquet"), ReleaseRow) == rows
