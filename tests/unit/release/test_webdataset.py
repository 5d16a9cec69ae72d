"""Shards that take hours: whoever is cut off goes on, and what was withdrawn meanwhile leaves them."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from release_rows import release_of, release_row

from slac_tasks.release.exports import webdataset
from slac_tasks.storage.datasets.releasing import ReleaseRow

ROWS = [
    release_row(video, start, category=category)
    for video in range(9)
    for start in (0.5, 3.0)
    for category in ("high_jump", "yoga")
]
SAMPLES = 18


class CutOff(BaseException):
    """Nothing catches it."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webdataset, "_SHARD_SAMPLES", 2)


def write(
    path: Path, *, cut_off: int | None = None, is_withdrawn: Callable[[ReleaseRow], bool] = lambda row: False
) -> list[str]:
    """Write shards until so many videos were read; return those that were."""
    read: list[str] = []

    def media(row: ReleaseRow) -> bytes | None:
        if len(read) == cut_off:
            raise CutOff
        read.append(row.video_id)
        return None if is_withdrawn(row) else row.proxy_256.encode()

    release = release_of(ROWS, licences=("CC BY 4.0",), media=media, is_withdrawn=is_withdrawn)
    try:
        webdataset.write(release, path)
    except CutOff:
        assert cut_off is not None
    return read


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def names_in(folder: Path) -> list[str]:
    names = []
    for path in folder.iterdir():
        with tarfile.open(path) as tar:
            names += tar.getnames()
    return sorted(names)


@pytest.mark.parametrize("cut_off", range(SAMPLES))
def test_cut_off_at_any_video_it_goes_on_and_the_shards_are_the_same(tmp_path: Path, cut_off: int) -> None:
    assert len(write(tmp_path / "whole")) == SAMPLES
    write(tmp_path / "cut", cut_off=cut_off)
    finished = 2 * len(list((tmp_path / "cut").glob("*.tar")))
    assert finished >= cut_off - 3 * 2, "of each split, what one open shard holds is lost"
    assert len(write(tmp_path / "cut")) == SAMPLES - finished
    assert bytes_of(tmp_path / "cut") == bytes_of(tmp_path / "whole")


def test_media_of_a_video_that_was_withdrawn_meanwhile_leave_the_finished_shards(tmp_path: Path) -> None:
    gone = write(tmp_path / "cut", cut_off=SAMPLES - 1)[0]
    write(tmp_path / "cut", is_withdrawn=lambda row: row.video_id == gone)
    write(tmp_path / "whole")
    (before,) = {row.name for row in ROWS if row.video_id == gone}
    left_out = {f"{category}-{before}.mp4" for category in ("high_jump", "yoga")}
    assert set(names_in(tmp_path / "whole")) - set(names_in(tmp_path / "cut")) == left_out
    assert len(names_in(tmp_path / "cut")) == 2 * SAMPLES - 2


def test_what_is_finished_is_only_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "whole")
    before = bytes_of(tmp_path / "whole")
    assert write(tmp_path / "whole") == []
    assert bytes_of(tmp_path / "whole") == before
