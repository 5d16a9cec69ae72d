"""The same promises of a folder and of a real S3 server."""

import dataclasses
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import serve_s3
from cryptography import x509
from private_authority import sign

from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.web import Web, probe
from slac_tasks.collect.locations import Access, parse
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.commands import doctor
from slac_tasks.errors import BrokenContract, NotConfigured, NotMade, Temporary
from slac_tasks.storage.datasets import SCORES
from slac_tasks.storage.objects import open_store, put_by_content
from slac_tasks.storage.s3 import S3Store
from slac_tasks.storage.store import AUTHORITY, Store
from slac_tasks.storage.tables import Datasets


@pytest.fixture(params=["folder", "s3"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    environ = request.getfixturevalue("s3")
    return open_store(f"{environ['SLAC_STORE']}/{uuid.uuid4().hex[:8]}", environ)


def test_bytes_come_back(any_store: Store, tmp_path: Path) -> None:
    any_store.put("a/b", b"one")
    any_store.put("a/b", b"two")
    (tmp_path / "file").write_bytes(b"three")
    any_store.put_file("a/c", tmp_path / "file")
    assert any_store.get("a/b") == b"two"
    with any_store.local("a/c") as path:
        assert path.read_bytes() == b"three"
    assert any_store.exists("a/b")
    assert not any_store.exists("a")
    assert list(any_store.names("a/")) == ["a/b", "a/c"]
    assert list(any_store.names("a/b")) == ["a/b"]
    assert list(any_store.names("z/")) == []
    assert [(one.name, one.size_bytes) for one in any_store.objects("a/")] == [("a/b", 3), ("a/c", 5)]
    assert all(abs((datetime.now(UTC) - one.written_at).total_seconds()) < 60 for one in any_store.objects("a/"))
    any_store.delete("a/b")
    any_store.delete("a/b")
    assert list(any_store.names("")) == ["a/c"]


def test_a_missing_name_is_not_made(any_store: Store) -> None:
    with pytest.raises(NotMade, match="a/b"):
        any_store.get("a/b")
    with pytest.raises(NotMade), any_store.local("a/b"):
        pass


def test_create_writes_once(any_store: Store) -> None:
    assert any_store.create("m", b"first")
    assert not any_store.create("m", b"second")
    assert any_store.get("m") == b"first"


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a/./b", "a\\b", ""])
def test_names_stay_inside(any_store: Store, name: str) -> None:
    with pytest.raises(BrokenContract, match="leaves the store"):
        any_store.put(name, b"")


def test_content_names_itself(any_store: Store) -> None:
    digest = put_by_content(any_store, "weights", ".pt", b"data")
    assert put_by_content(any_store, "weights", ".pt", b"data") == digest
    assert list(any_store.names("weights/")) == [f"weights/{digest}.pt"]


def test_datasets_live_in_any_store(any_store: Store) -> None:
    datasets, keys = Datasets(any_store), {"category": "judo", "window": "2026-01-05", "weights": "w1"}
    assert datasets.manifest(SCORES, **keys) is None
    table = SCORES.from_records([{"clip_id": "v:0", "video_id": "v", "member": "m", "score": 0.5}])
    for generation in (1, 2):
        made = datasets.write(SCORES, [table], keys=keys, stage="score", settings={}, made_from={})
        assert made.generation == generation
        assert datasets.read(SCORES, **keys).equals(table)
    assert dataclasses.asdict(datasets.need(SCORES, **keys)) == dataclasses.asdict(made)
    assert datasets.partitions(SCORES) == [keys]


def test_of_two_attempts_at_one_partition_the_one_that_ends_first_is_read(any_store: Store) -> None:
    """A task that was thought dead, and its retry."""
    datasets, keys = Datasets(any_store), {"category": "judo", "window": "2026-01-05", "weights": "w1"}
    how: dict[str, Any] = {"keys": keys, "stage": "score", "settings": {}, "made_from": {}, "generation": 1}

    def part(clip: str, score: float) -> pa.Table:
        return SCORES.from_records([{"clip_id": clip, "video_id": "v", "member": "m", "score": score}])

    def attempt() -> Iterator[pa.Table]:
        yield part("v:0", 0.0)
        datasets.write(SCORES, [part("v:0", 0.25), part("v:2000", 0.5)], **how)
        yield part("v:2000", 1.0)

    with pytest.raises(Temporary, match="another process finished it first"):
        datasets.write(SCORES, attempt(), **how)
    assert datasets.read(SCORES, **keys)["score"].to_pylist() == [0.25, 0.5]
    assert datasets.need(SCORES, **keys).generation == 1


def test_a_presigned_address_hands_out_one_name(s3: dict[str, str]) -> None:
    store = open_store(s3["SLAC_STORE"], s3)
    store.put("media/x", b"film")
    address = store.presign("media/x", 60)
    assert address is not None
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"film"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address.partition("?")[0])
    refused.value.close()
    assert refused.value.code in (400, 401, 403)


@pytest.mark.parametrize("changes", [{"AWS_SECRET_ACCESS_KEY": "wrong-secret"}, {"AWS_ACCESS_KEY_ID": "nobody"},
                                     {"AWS_SECRET_ACCESS_KEY": ""}, {"SLAC_S3_ENDPOINT": "localhost"}])  # fmt: skip
def test_wrong_credentials_are_not_configured(s3: dict[str, str], changes: dict[str, str]) -> None:
    with pytest.raises(NotConfigured):
        open_store(s3["SLAC_STORE"], s3 | changes)


def test_a_bucket_must_exist(s3: dict[str, str]) -> None:
    with pytest.raises(NotConfigured, match="nowhere"):
        open_store("s3://nowhere/x", s3)


def test_a_server_that_is_down_is_temporary(s3: dict[str, str]) -> None:
    with pytest.raises(Temporary):
        open_store(s3["SLAC_STORE"], s3 | {"SLAC_S3_ENDPOINT": "http://127.0.0.1:9"})


@pytest.mark.parametrize("url", ["", "ftp://x/y", "s3:///x"])
def test_other_addresses_are_not_configured(url: str) -> None:
    with pytest.raises(NotConfigured, match="want a folder"):
        open_store(url, {})


def test_a_presigned_address_ends(s3: dict[str, str]) -> None:
    store = open_store(s3["SLAC_STORE"], s3)
    store.put("media/x", b"film")
    address = store.presign("media/x", 1)
    assert address is not None
    time.sleep(2.1)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(address)
    refused.value.close()
    assert refused.value.code in (400, 401, 403)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An S3 server whose certificate was signed by an authority that nobody else knows."""
    signed = sign(tmp_path, [x509.IPAddress(ip_address("127.0.0.1"))])
    with serve_s3(tmp_path, certificate=(signed.certificate, signed.key)) as environ:
        yield {**environ, AUTHORITY: signed.authority.read_text()}


def test_a_private_authority_is_trusted_where_it_is_named(private: dict[str, str], tmp_path: Path) -> None:
    store = open_store(private["SLAC_STORE"], private)
    store.put("judo/a.mp4", b"bytes")
    assert store.get("judo/a.mp4") == b"bytes"
    access = Access(collect=Collect(), fetch=Fetch(), environ=private)
    assert parse(f"{store.url}judo/a.mp4").open(access, tmp_path).path.read_bytes() == b"bytes"
    for other in ("", "-----BEGIN CERTIFICATE-----"):
        with pytest.raises(NotConfigured, match="certificate"):
            open_store(private["SLAC_STORE"], {**private, AUTHORITY: other})
    # A stranger's server is not known by it.
    with pytest.raises(Unfetched, match="SSLCertVerificationError"):
        probe(Web(Fetch(tries=1), allow_private=True, authority=private[AUTHORITY]), private["SLAC_S3_ENDPOINT"])


def test_temporary_keys_come_with_their_token(s3: dict[str, str]) -> None:
    store = open_store(s3["SLAC_STORE"], {**s3, "AWS_SESSION_TOKEN": "for-an-hour"})
    assert "X-Amz-Security-Token=for-an-hour" in str(store.presign("judo/a.mp4", 60))


@pytest.mark.parametrize("is_deaf", [True, False])
def test_doctor_says_whether_the_server_heeds_conditions(
    s3: dict[str, str], monkeypatch: pytest.MonkeyPatch, is_deaf: bool
) -> None:
    for name, value in {**s3, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    if not is_deaf:
        # This server ignores them; one that heeds them answers 412.
        monkeypatch.setattr(S3Store, "put_new", lambda store, name, data: not store.exists(name))
    assert ("ignores If-None-Match" in doctor._store()) == is_deaf
    assert not open_store(s3["SLAC_STORE"], s3).exists("doctor/probe")
