"""What a manifest offers of cells that hold nothing, or nothing that can be told."""

from pathlib import Path

import pytest

from slac_tasks.collect.sources import Candidate, ManifestSource
from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.model import Window

WEEK = Window.parse("2026-01-05")


def test_what_is_blank_is_unknown_and_what_a_spreadsheet_made_of_a_cell_sets_its_line_aside(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        "category,location,title,licence\nJudo,a.mp4,,\nJudo,b.mp4,#REF!,\nJudo,c.mp4,,1.2E+11\n#N/A,d.mp4,,\n"
    )
    source = ManifestSource(path)
    first, *others = source.candidates("judo", WEEK)
    assert isinstance(first, Candidate)
    assert (first.title, first.licence, first.source_id) == (None, None, "a.mp4")
    assert [str(other) for other in others] == [
        "m.csv line 3 set aside: bad entry: title is '#REF!', an error of a spreadsheet, want what stood there before",
        "m.csv line 4 set aside: bad entry: licence is '1.2E+11', a number that a spreadsheet has shortened, want all "
        "of its digits",
    ]
    assert source.categories() == ["Judo"]
    assert [str(line) for line in source.unplaced()] == [
        "m.csv line 5 set aside: bad entry: category is '#N/A', an error of a spreadsheet, want what stood there before"
    ]


def test_a_licence_is_read_in_both_spellings_and_two_that_differ_are_none(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(
        "category,location,licence,license\nJudo,a.mp4,MIT,\nJudo,b.mp4,,CC-BY\nJudo,c.mp4,MIT,MIT\nJudo,d.mp4,MIT,CC-BY\n"
    )
    *read, other = ManifestSource(path).candidates("judo", WEEK)
    assert [one.licence for one in read if isinstance(one, Candidate)] == ["MIT", "CC-BY", "MIT"]
    assert str(other) == "m.csv line 5 set aside: bad entry: licence is 'MIT' and license is 'CC-BY', want one"


def test_a_manifest_without_a_video_says_why(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match=r"gone\.csv: cannot be read: No such file"):
        ManifestSource(tmp_path / "gone.csv")
    path = tmp_path / "m.csv"
    for text, why in {"": "is empty", ",a.mp4\n": "m.csv line 2 set aside: bad entry: category is missing"}.items():
        path.write_text("category,location\n" + text)
        with pytest.raises(BrokenContract, match=f"{why}.*, want at least one video"):
            ManifestSource(path)
