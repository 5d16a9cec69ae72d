"""Where bytes are: each scheme is one entry, and a bad place is the failure of its own video alone."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from slac_tasks.collect import locations
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.locations import Access, Opened
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.collect.sources import Candidate, ManifestSource
from slac_tasks.model import Window
from slac_tasks.storage.objects import open_store


def access(environ: dict[str, str] | None = None) -> Access:
    return Access(collect=Collect(), fetch=Fetch(requests_per_sec=1000.0), environ=environ or {})


@pytest.mark.parametrize(
    ("location", "kind", "address", "host"),
    [
        ("https://a.example/1.mp4", locations.Url, "https://a.example/1.mp4", "a.example:https"),
        ("yt-dlp+https://a.example:8080/watch?v=1", locations.Page, "https://a.example:8080/watch?v=1",
         "a.example:8080"),
        ("HTTPS://A.example/1.mp4", locations.Url, "https://A.example/1.mp4", "a.example:https"),
        ("YT-DLP+HTTPS://a.example/1", locations.Page, "https://a.example/1", "a.example:https"),
        ("s3://bucket/a/1.mp4", locations.S3Object, "s3://bucket/a/1.mp4", ""),
        ("/videos/1.mp4", locations.File, "/videos/1.mp4", ""),
        ("0347ZoDXyP0", locations.File, "0347ZoDXyP0", ""),
    ],
)  # fmt: skip
def test_each_kind_of_place_has_an_address_and_a_host(location: str, kind: type, address: str, host: str) -> None:
    found = locations.parse(location)
    assert isinstance(found, kind)
    assert (found.address, found.host) == (address, host)


@dataclass(frozen=True)
class Ftp:
    address: str
    host: str = "ftp"

    def probe(self, access: Access) -> None:
        raise Unfetched("gone")

    def open(self, access: Access, folder: Path) -> Opened:
        (folder / "original").write_bytes(self.address.encode())
        return Opened(folder / "original")


def test_a_new_scheme_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.jsonl").write_text(json.dumps({"category": "judo", "location": "ftp://a.example/1.mp4"}))
    monkeypatch.setitem(locations.SCHEMES, "ftp", Ftp)
    (offer,) = ManifestSource(tmp_path / "m.jsonl").candidates("judo", Window.parse("2026-01-05"))
    assert isinstance(offer, Candidate)
    found = locations.parse(offer.location, offer.source)
    assert found.open(access(), tmp_path).path.read_text() == "ftp://a.example/1.mp4"


def test_a_bad_name_of_an_object_or_a_bucket_is_that_videos_own_failure(s3: dict[str, str], tmp_path: Path) -> None:
    open_store("s3://slac/videos", s3).put("a.mp4", b"bytes")
    given = access(s3)
    good = locations.parse("s3://slac/videos/a.mp4")
    good.probe(given)
    assert good.open(given, tmp_path).path.read_bytes() == b"bytes"
    reasons = {
        "s3://slac/videos//a.mp4": "bad address",
        "s3://slac/videos/": "bad address",
        "s3://slac/videos/no.mp4": "gone",
        "s3://nobodys/a.mp4": "refused address",
        "s3://": "bad address",
        "s3://slac": "bad address",
    }
    for location, reason in reasons.items():
        with pytest.raises(Unfetched) as no:
            locations.parse(location).probe(given)
        assert no.value.reason == reason, location
    with pytest.raises(Unfetched, match=r"not configured: .*SLAC_S3_ENDPOINT"):
        locations.parse("s3://slac/videos/a.mp4").probe(access({}))


def test_a_file_lies_in_the_folder_of_its_manifest(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    folder.mkdir()
    (tmp_path / "out.mp4").write_bytes(b"x")
    (folder / "in.mp4").write_bytes(b"x")
    (folder / "link.mp4").symlink_to(tmp_path / "out.mp4")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    manifest = str(folder / "m.csv")
    locations.parse(str(folder / "in.mp4"), manifest).probe(access())
    for name, reason in {"link.mp4": "refused address", "loop.mp4": "refused address", "no.mp4": "gone"}.items():
        with pytest.raises(Unfetched, match=reason):
            locations.parse(str(folder / name), manifest).probe(access())


def test_a_file_that_cannot_be_looked_at_is_a_failure_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(Unfetched, match=r"unreadable: .*File name too long"):
        locations.parse(str(tmp_path / ("a" * 300))).probe(access())


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "raw.mp4"
    path.touch()
    os.truncate(path, Collect().max_size_bytes)
    assert locations.parse(str(path)).open(access(), tmp_path).path == path
    os.truncate(path, Collect().max_size_bytes + 1)
    with pytest.raises(Unfetched, match="too large: 2000000001 bytes, want at most 2000000000"):
        locations.parse(str(path)).open(access(), tmp_path)
