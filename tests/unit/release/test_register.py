"""Names and splits of released videos stay for ever, whatever is released later."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from released import finish, released, write_rows

from slac_tasks.errors import BrokenContract
from slac_tasks.release.register import registered
from slac_tasks.storage.datasets import RELEASE_VERSIONS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.tables import Datasets

SPLITS = ("training", "validation", "testing")
VIDEOS = st.lists(st.dictionaries(st.integers(0, 5), st.sampled_from(SPLITS), min_size=1), min_size=1, max_size=4)


@settings(max_examples=40)
@given(releases=VIDEOS, paired=st.booleans())
def test_no_release_moves_a_video_or_a_group(
    tmp_path_factory: pytest.TempPathFactory, releases: list[dict[int, str]], paired: bool
) -> None:
    datasets = Datasets(FolderStore(tmp_path_factory.mktemp("store")))
    fixed: dict[str, str] = {}
    before = None
    for number, videos in enumerate(releases):
        # Videos 0 and 1, 2 and 3, 4 and 5 look alike.
        groups = {video: f"g{video // 2 if paired else video}" for video in videos}
        rows = [released(f"{video:016x}", split=split, group_id=groups[video]) for video, split in videos.items()]
        moves = [row for row in rows if fixed.setdefault(str(row.group_id), row.split) != row.split]
        if moves:
            with pytest.raises(BrokenContract, match=r"split .* want one for ever"):
                finish(datasets, f"r{number}", rows, before)
            return
        finish(datasets, f"r{number}", rows, before)
        before = f"r{number}"
    assert {row["group_id"]: row["split"] for row in registered(datasets, before).to_pylist()} == fixed


def test_a_video_that_was_away_comes_back_in_its_old_split_under_its_old_name(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    finish(datasets, "r0001", [released("a" * 16, split="testing", name="a2X2hz1G6i8"), released("b" * 16)])
    finish(datasets, "r0002", [released("b" * 16)], before="r0001")
    with pytest.raises(BrokenContract, match=r"release r0003: video_id a{16} has split testing and training"):
        finish(datasets, "r0003", [released("a" * 16, name="a2X2hz1G6i8")], before="r0002")
    with pytest.raises(BrokenContract, match=r"release r0004: video_id a{16} has name a2X2hz1G6i8 and a{16}"):
        finish(datasets, "r0004", [released("a" * 16, split="testing")], before="r0002")
    with pytest.raises(BrokenContract, match=r"group_id a{16} has split testing and training"):
        finish(datasets, "r0005", [released("b" * 16, group_id="a" * 16)], before="r0002")
    with pytest.raises(BrokenContract, match="name a2X2hz1G6i8 has video_id"):
        finish(datasets, "r0006", [released("c" * 16, name="a2X2hz1G6i8")], before="r0002")
    (away,) = [row for row in registered(datasets, "r0002").to_pylist() if row["video_id"] == "a" * 16]
    assert away["release"] == "r0001"


def test_videos_whose_group_is_not_known_are_of_no_group(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    rows = [released("a" * 16, group_id=None), released("b" * 16, group_id=None, split="testing")]
    finish(datasets, "r0001", rows[1:])
    finish(datasets, "r0002", rows, before="r0001")
    found = registered(datasets, "r0002")
    assert found["video_id"].to_pylist() == ["a" * 16, "b" * 16], "in their order, whichever came first"
    assert found["split"].to_pylist() == ["training", "testing"]


def test_a_release_from_before_there_was_a_register_counts_by_its_rows(tmp_path: Path) -> None:
    datasets = Datasets(FolderStore(tmp_path))
    first = released("a" * 16, split="testing", name="a2X2hz1G6i8")
    write_rows(datasets, "r0001", [first, released("a" * 16, 3.0, split="testing", name="a2X2hz1G6i8")])
    assert registered(datasets, "r0001").to_pylist() == [
        {"video_id": "a" * 16, "name": "a2X2hz1G6i8", "group_id": "a" * 16, "split": "testing", "release": "r0001"}
    ]
    with pytest.raises(BrokenContract, match="has split testing and training"):
        finish(datasets, "r0002", [released("a" * 16, name="a2X2hz1G6i8")], before="r0001")
    finish(datasets, "r0002", [first], before="r0001")
    assert [row.version for row in datasets.rows(RELEASE_VERSIONS, release="r0002")] == ["2.0.0"]
