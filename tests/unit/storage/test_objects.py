"""What holds for the addresses of a store; its behaviour on a real server stands in tests/services."""

import re
from pathlib import Path

import pytest

from slac_tasks.errors import NotConfigured
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.objects import open_store, put_by_content


def test_the_same_bytes_have_the_same_name(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert put_by_content(store, "weights", ".pt", b"x") == put_by_content(store, "weights", ".pt", b"x")
    assert len(list(store.names("weights/"))) == 1


@pytest.mark.parametrize("url", ["~/my store", "{home}/my store", "file://{home}/my%20store"])
def test_a_folder_has_several_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    open_store(url.format(home=tmp_path), {}).put("a", b"x")
    assert FolderStore(tmp_path / "my store").get("a") == b"x"


@pytest.mark.parametrize(
    "url", ["", "ftp://host/x", "s3://", "file://host/x", "gs:x", "s3://u:wo@rd@bucket/x", "x://wo@rd"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(NotConfigured, match="want a folder") as refused:
        open_store(url, {})
    assert "wo" not in str(refused.value).partition("want")[0]


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


S3 = {"SLAC_S3_ENDPOINT": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


@pytest.mark.parametrize(
    "address",
    [
        "http://u:word@127.0.0.1:1", "http://u:wo@rd@127.0.0.1:1", "http://u:wo/rd@127.0.0.1:1", "u:word@127.0.0.1:1",
        "http://127.0.0.1:port", "http://127.0.0.1:99999", "http://[::1", "http://127.0.0.1:1/path",
        "http://127.0.0.1:1?x=1", "http://:9000",
    ],
)  # fmt: skip
def test_the_address_of_an_s3_server_is_that_alone_and_no_password_in_it_is_shown(address: str) -> None:
    for variable in ("SLAC_S3_ENDPOINT", "SLAC_S3_PUBLIC_ENDPOINT"):
        environ = S3 | {variable: address}
        with pytest.raises(NotConfigured, match=f"{variable}: is .*, want http") as refused:
            open_store("s3://bucket/prefix", environ)
        assert not re.search(r"word|wo@|wo/|rd@", str(refused.value))


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("value", ["wo\nrd", "wörd", "word\n"])
def test_a_key_that_no_header_can_hold_is_named_and_not_shown(name: str, value: str) -> None:
    environ = S3 | {name: value}
    with pytest.raises(NotConfigured, match=f"{name}: holds") as refused:
        open_store("s3://bucket/prefix", environ)
    assert value not in str(refused.value)


def test_a_region_that_is_none_is_named() -> None:
    environ = S3 | {"AWS_REGION": "no where"}
    with pytest.raises(NotConfigured, match="AWS_REGION: invalid region no where"):
        open_store("s3://bucket/prefix", environ)
