"""What holds for a folder: names, what is written once, and what a failure of the file system becomes."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from slac_tasks.errors import BrokenContract, NotConfigured, NotMade, SlacError, Temporary
from slac_tasks.storage import folder
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.store import checked


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\\b", "a\x00b"])
def test_names_stay_inside(tmp_path: Path, name: str) -> None:
    with pytest.raises(BrokenContract, match="leaves the store"):
        checked(name)
    with pytest.raises(BrokenContract, match="leaves the store"):
        FolderStore(tmp_path).put(name, b"")


def test_a_name_is_created_once(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert store.create("a/b", b"first")
    assert not store.create("a/b", b"second")
    assert store.get("a/b") == b"first"
    assert list(store.names("a/")) == ["a/b"]


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(NotMade, match="does not exist"):
        store.get("a")
    store.delete("a")


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (errno.ENOSPC, Temporary, "disk is full while writing"), (errno.EDQUOT, Temporary, "disk is full"),
        (errno.EROFS, NotConfigured, "refused"), (errno.EACCES, NotConfigured, "refused"),
        (errno.EPERM, NotConfigured, "refused"), (errno.EIO, Temporary, "out of reach"),
        (errno.ESTALE, Temporary, "out of reach"), (errno.ENOTCONN, Temporary, "out of reach"),
        (errno.ENAMETOOLONG, BrokenContract, "cannot hold the name"),
    ],
)  # fmt: skip
def test_a_failure_of_the_file_system_is_the_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int, kind: type[SlacError], says: str
) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("a/b", b"x")
    (tmp_path / "source").write_bytes(b"y")

    def fail(*_: object, **__: object) -> None:
        raise OSError(fault, os.strerror(fault), str(tmp_path / "source"))

    for place in ("replace", "link", "stat", "unlink", "scandir"):
        monkeypatch.setattr(os, place, fail)
    monkeypatch.setattr(folder, "_write", fail)
    monkeypatch.setattr(Path, "read_bytes", fail)
    calls: list[Callable[[], object]] = [
        lambda: store.put("a/c", b"x"), lambda: store.put_file("a/c", tmp_path / "source"),
        lambda: store.create("a/c", b"x"), lambda: store.get("a/b"), lambda: store.exists("a/b"),
        lambda: list(store.names("a/")), lambda: store.delete("a/b"), lambda: store.local("a/b").__enter__(),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(kind) as failure:
            call()
        assert str(failure.value).startswith(f"store {store.url}: {says}")
        assert type(failure.value) is kind


def test_a_source_that_cannot_be_read_is_not_the_stores_failure(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="source"):
        FolderStore(tmp_path / "store").put_file("a", tmp_path / "source")


def test_a_store_that_is_gone_is_not_begun_anew(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("a", b"x")
    shutil.rmtree(tmp_path / "store")
    for call in (lambda: store.put("a", b"x"), lambda: store.get("a")):
        with pytest.raises(NotConfigured, match="is gone"):
            call()
    assert not (tmp_path / "store").exists()


def test_a_file_where_a_folder_belongs_is_a_broken_store(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a", b"x")
    for write in (store.put, store.create):
        with pytest.raises(BrokenContract, match="holds a file where a/b wants a folder"):
            write("a/b", b"x")
    assert list(store.names("a/")) == []


FULL = """
import pathlib, subprocess, sys
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.objects import open_store
folder = pathlib.Path(sys.argv[1])
(folder / "source").write_bytes(bytes(300_000))
small = folder / "small"
small.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=True)
store = FolderStore(small)
def attempt(write):
    try:
        write()
    except Exception as error:
        print(type(error).__name__, error)
attempt(lambda: store.put_file("a/copy", folder / "source"))
attempt(lambda: store.put("a/put", bytes(300_000)))
attempt(lambda: store.create("a/created", bytes(300_000)))
store.put("a/small", b"fits")
subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
attempt(lambda: store.put_file("b/copy", folder / "source"))
attempt(lambda: store.put("a/put", b"x"))
attempt(lambda: open_store(str(small), writes=True))
print(sorted(open_store(str(small)).names("")))
"""


def test_a_store_that_is_full_or_read_only_is_named_and_nothing_half_written_stays(tmp_path: Path) -> None:
    """A mount of its own namespace: needs root, and a kernel that lets it."""
    argv = ["unshare", "--mount", sys.executable, "-c", FULL, str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run([*argv[:2], "true"], capture_output=True).returncode:
        pytest.skip("unshare --mount: refused, want root")
    ended = subprocess.run(argv, capture_output=True, text=True)
    if "mount:" in ended.stderr:
        pytest.skip("mount: refused, want a kernel that lets root mount")
    small = tmp_path / "small"
    assert ended.stdout.splitlines() == [
        *(f"Temporary store {small}: disk is full while writing a/{name}" for name in ("copy", "put", "created")),
        f"NotConfigured store {small}: refused: Read-only file system, at b/copy",
        f"NotConfigured store {small}: refused: Read-only file system, at a/put",
        f"NotConfigured store {small}: is not writable",
        "['a/small']",
    ]


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_hard_links_creates_a_name_once_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    store = FolderStore(tmp_path / "store")
    assert store.create("a/manifest.json", b"first")
    assert not store.create("a/manifest.json", b"second")
    assert store.get("a/manifest.json") == b"first"
    assert [path.name for path in (tmp_path / "store" / "a").iterdir()] == ["manifest.json"]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: store.create("b", str(number).encode()), range(64)))
    assert sum(made) == 1
    assert store.get("b") == str(made.index(True)).encode()
