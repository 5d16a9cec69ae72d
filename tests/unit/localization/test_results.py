"""Files of results: ActivityNet's json, a table, names that stay apart, and what people are shown."""

import csv
import json
import os
from pathlib import Path

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from slac_tasks.given.words import fault_of
from slac_tasks.localization.results import FoundRow, FoundVideo, apart, names_of, rows_of, write_csv, write_json
from slac_tasks.localization.spotted import Spotted
from slac_tasks.reports.found_segments import Shown, page

SPOTTED = Spotted(
    category=np.array([1, 0]), start_sec=np.array([1.25, 0.0]), end_sec=np.array([3.5, 2.0]), score=np.array([0.9, 0.4])
)


def row(start: float, end: float, score: float, category: str = "hop") -> FoundRow:
    return FoundRow(video="a", category=category, start_sec=start, end_sec=end, score=score)


def test_the_files_hold_every_segment(tmp_path: Path) -> None:
    rows = rows_of("a", SPOTTED, ["hop", "wave"], [])
    videos = [FoundVideo(name="a", path="a.mp4", duration_sec=9.0, rows=rows)]
    write_json(videos, tmp_path / "segments.json", "r0001")
    write_csv(videos, tmp_path / "segments.csv")
    assert json.loads((tmp_path / "segments.json").read_text()) == {
        "version": "r0001",
        "external_data": {},
        "results": {
            "a": [
                {"label": "wave", "score": 0.9, "segment": [1.25, 3.5]},
                {"label": "hop", "score": 0.4, "segment": [0.0, 2.0]},
            ]
        },
    }
    with (tmp_path / "segments.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["category"] for line in lines] == ["wave", "hop"]
    assert lines[0]["end_sec"] == "3.5"


def test_one_category_can_be_asked_for() -> None:
    assert [each.category for each in rows_of("a", SPOTTED, ["hop", "wave"], ["hop"])] == ["hop"]


def test_videos_of_one_name_stay_apart() -> None:
    assert names_of([Path("x/a.mp4"), Path("y/a.avi"), Path("b.mp4"), Path("z/a.mp4")]) == ["a", "a-2", "b", "a-3"]


def test_people_are_shown_the_surest_of_what_overlaps() -> None:
    rows = [row(0, 4, 0.5), row(1, 3, 0.9), row(5, 6, 0.4), row(1, 3, 0.8, "wave"), row(8, 9, 0.2)]
    assert apart(rows, 0.3) == [row(1, 3, 0.9), row(1, 3, 0.8, "wave"), row(5, 6, 0.4)]
    one_after_another = [row(0, 2, 0.4), row(2, 4, 0.9), row(4, 6, 0.3)]
    assert apart(one_after_another, 0.3) == one_after_another, "what only touches is another action"


def test_the_page_plays_what_was_found_and_escapes_names() -> None:
    text = page([Shown(name="<b>", media="media/a b.mp4", duration_sec=10.0, rows=[row(1, 3, 0.9)])], "Release r0001.")
    assert "<b>" not in text
    assert 'src="media/a%20b.mp4"' in text
    assert 'data-start="1"' in text
    assert "left: 10.000%; width: 20.000%" in text


FILE = st.binary(min_size=1, max_size=250).filter(
    lambda name: not {0, ord("/")} & set(name) and name not in (b".", b"..")
)


@given(st.lists(FILE, min_size=1, max_size=4))
@example([b"caf\xe9.mp4", b"a\xe2\x80\xa8b.mp4", b"a\nb.mp4", b"x" * 250, b"x" * 250])
def test_any_file_has_a_name_that_every_file_of_results_holds(files: list[bytes]) -> None:
    found = names_of([Path(os.fsdecode(name)) for name in files])
    assert len(set(found)) == len(files)
    for name in found:
        assert fault_of(name) == ""
        assert name.splitlines() == [name]
        assert len(f".{name}.npy.part".encode()) <= 255
