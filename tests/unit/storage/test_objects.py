"""What holds for the names and addresses of a store; its behaviour on a real server stands in tests/services."""

import errno
from pathlib import Path

import pytest

from slac_tasks.errors import BrokenContract, NotConfigured, NotMade
from slac_tasks.storage.objects import FolderStore, checked, is_disk_full, open_store, put_by_content


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


def test_the_same_bytes_have_the_same_name(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert put_by_content(store, "weights", ".pt", b"x") == put_by_content(store, "weights", ".pt", b"x")
    assert len(list(store.names("weights/"))) == 1


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    with pytest.raises(NotMade, match="does not exist"):
        store.get("a")
    store.delete("a")


@pytest.mark.parametrize("url", ["", "ftp://host/x", "s3://", "file://host/x"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(NotConfigured, match="want a folder"):
        open_store(url, {})


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "SLAC_S3_ENDPOINT: is ''"),
        ({"SLAC_S3_ENDPOINT": "host:9000"}, "SLAC_S3_ENDPOINT: is 'host:9000'"),
        ({"SLAC_S3_ENDPOINT": "http://127.0.0.1:1"}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: not set"),
        (
            {
                "SLAC_S3_ENDPOINT": "http://127.0.0.1:1",
                "SLAC_S3_PUBLIC_ENDPOINT": "media.example",
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
            },
            "SLAC_S3_PUBLIC_ENDPOINT: is 'media.example'",
        ),
    ],
)
def test_an_s3_server_needs_its_settings(environ: dict[str, str], message: str) -> None:
    with pytest.raises(NotConfigured, match=message):
        open_store("s3://bucket/prefix", environ)


def test_a_full_disk_is_told_from_other_failures() -> None:
    assert is_disk_full(OSError(errno.ENOSPC, "full"))
    assert not is_disk_full(OSError(errno.EACCES, "no"))
