"""The cache of media: bounded, shared by processes, and never a reason to fail."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slac_tasks.errors import NotMade
from slac_tasks.storage.cache import CachedMedia
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.objects import Media


@dataclass(frozen=True)
class Remote(Media):
    """Objects that have to be fetched, each `size` bytes."""

    folder: Path
    size: int
    fetched: list[str]

    @classmethod
    def of(cls, folder: Path, size: int = 100) -> "Remote":
        return cls("s3://bucket/store", {}, folder, size, [])

    @contextmanager
    def __call__(self, name: str) -> Iterator[Path]:
        if name == "missing":
            raise NotMade("object missing: does not exist")
        self.fetched.append(name)
        path = self.folder / "fetched"
        path.write_bytes(name.encode().ljust(self.size))
        yield path
        path.unlink()


def held(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@settings(max_examples=30)
@given(names=st.lists(st.integers(0, 8), max_size=30), most=st.integers(0, 6))
def test_it_never_holds_more_than_its_bound_and_every_reader_gets_its_own_bytes(
    tmp_path_factory: pytest.TempPathFactory, names: list[int], most: int
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    cached = CachedMedia(Remote.of(tmp_path_factory.mktemp("remote")), folder / "held", 100 * most)
    for name in names:
        with cached(f"{name}.mp4") as path:
            assert path.read_bytes().strip() == f"{name}.mp4".encode()
        assert held(folder) <= 100 * most


def test_what_was_read_lately_is_read_from_the_cache(tmp_path: Path) -> None:
    remote = Remote.of(tmp_path)
    cached = CachedMedia(remote, tmp_path / "held", 200)
    for number, name in enumerate("abaca"):
        with cached(name) as path:
            os.utime(path, (number, number))
    assert remote.fetched == ["a", "b", "c"]


def test_a_file_that_is_open_outlives_its_place_in_the_cache(tmp_path: Path) -> None:
    cached = CachedMedia(Remote.of(tmp_path), tmp_path / "held", 100)
    with cached("a") as first:
        with cached("b"):
            pass
        assert first.read_bytes().strip() == b"a"
    assert held(tmp_path / "held") <= 100
    with pytest.raises(NotMade), cached("missing"):
        pass


def test_a_folder_is_read_where_it_is(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("a.mp4", b"bytes")
    with CachedMedia(Media(store.url, {}), tmp_path / "held", 100)("a.mp4") as path:
        assert path == tmp_path / "store/a.mp4"
    assert not (tmp_path / "held").exists()


def test_what_a_killed_process_had_open_leaves_after_a_day(tmp_path: Path) -> None:
    cached = CachedMedia(Remote.of(tmp_path), tmp_path / "held", 200)
    left = {name: tmp_path / "held" / "open" / name for name in ("old.mp4", "new.mp4")}
    left["old.mp4"].parent.mkdir(parents=True)
    for path in left.values():
        path.write_bytes(b"left")
    yesterday = time.time() - 86_401
    os.utime(left["old.mp4"], (yesterday, yesterday))
    with cached("a"):
        assert {name: path.exists() for name, path in left.items()} == {"old.mp4": False, "new.mp4": True}
