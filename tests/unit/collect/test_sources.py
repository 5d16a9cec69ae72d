"""What each kind of source offers, and what a bad entry of it does."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import planned_server
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planned_server import Planned, serve, status
from yt_dlp.extractor.generic import GenericIE
from yt_dlp.utils import ExtractorError

from slac_tasks.collect import locations
from slac_tasks.collect.downloads import sites
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.downloads.web import Web
from slac_tasks.collect.locations import Access
from slac_tasks.collect.names import Categories, terms
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.collect.sources import (
    Candidate,
    ManifestSource,
    Unreadable,
    bucket,
    open_sources,
    search,
    unplaced_lines,
)
from slac_tasks.collect.sources.folder import FolderSource
from slac_tasks.errors import NotConfigured, Temporary, WrongArguments
from slac_tasks.model import Window
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.objects import open_store

WEEK = Window.parse("2026-01-05")
QUICK = Fetch(requests_per_sec=1000.0)
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>found</title>
<item><title>First throw</title><link>{url}/v/one.mp4</link><pubDate>Tue, 06 Jan 2026 10:00:00 GMT</pubDate></item>
<item><title>Old throw</title><link>{url}/v/two.mp4</link><pubDate>Tue, 06 Jan 2015 10:00:00 GMT</pubDate></item>
<item><title>No date</title><link>{url}/v/gone.mp4</link></item>
</channel></rss>"""


@pytest.fixture(scope="module")
def server() -> Iterator[Planned]:
    with planned_server.running() as planned:
        planned.paths |= {
            "/feed": serve(FEED.format(url=planned.url).encode(), kind="application/rss+xml"),
            "/v/one.mp4": serve(b"\0\0\0\x18ftypmp42" + bytes(2000)),
            "/private": status(403),
        }
        yield planned


def test_a_manifest_sets_a_bad_line_aside_and_reads_the_others(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    (tmp_path / "way-out").symlink_to("/etc")
    digest = hashlib.sha256(b"x").hexdigest()
    path.write_text(
        "category,location,published_at,sha256,licence\n"
        f"Judo,https://a.example/1.mp4,2026-01-06,{digest},CC-BY\n"
        "Judo,in/here.mp4,,,\nJudo,s3://bucket/a.mp4,,,\nJudo,,,,\nJudo,b.mp4,yesterday,,\nJudo,b.mp4,,beef,\n"
        "Judo,file:///etc/passwd,,,\nJudo,../../etc/passwd,,,\nJudo,/etc/passwd,,,\nJudo,way-out/passwd,,,\n"
    )
    found = list(ManifestSource(path).candidates("judo", WEEK))
    good = [offer for offer in found if isinstance(offer, Candidate)]
    bad = [offer for offer in found if isinstance(offer, Unreadable)]
    assert [offer.location for offer in good] == [
        "https://a.example/1.mp4", str(tmp_path / "in" / "here.mp4"), "s3://bucket/a.mp4"
    ]  # fmt: skip
    assert (good[0].sha256, good[0].licence) == (digest, "CC-BY")
    assert good[0].published_at == datetime(2026, 1, 6, tzinfo=UTC)
    assert [offer.item for offer in bad] == [f"m.csv line {line}" for line in range(5, 12)]
    assert {offer.reason for offer in bad} == {"bad entry"}


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 300, "/nowhere/m.csv", "http://a.example/m.csv", "s3://", "yt-dlp:feed", os.devnull]
)
def test_what_is_no_source_is_refused_by_name(name: str) -> None:
    with pytest.raises((NotConfigured, WrongArguments), match=f"(source|store) ('{name}'|{name}): "):
        open_sources([name])


def test_links_out_of_a_folder_are_set_aside_by_name(tmp_path: Path) -> None:
    outside, source = tmp_path / "outside", tmp_path / "source"
    for path in (outside / "secret.mp4", source / "judo" / "good.mp4", source / "archery" / "own.mp4"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    links = {
        "away.mp4": outside / "secret.mp4", "folder": outside, "here.mp4": source / "judo" / "good.mp4",
        "sibling": source / "archery", "loop.mp4": source / "judo" / "loop.mp4",
    }  # fmt: skip
    for name, target in links.items():
        (source / "judo" / name).symlink_to(target)
    (source / "karate").symlink_to(outside)
    # Two links to nothing, as of a disk that is not mounted, and what lies in no category.
    (source / "judo" / "annexed.mp4").symlink_to(source / "objects" / "annexed")
    (source / "golf").symlink_to(tmp_path / "mount")
    (source / "far").symlink_to("x" * 300)
    (source / "README.txt").touch()
    os.mkfifo(source / "judo" / "pipe.mp4")
    # The source may be named by a link itself.
    (tmp_path / "named").symlink_to(source)
    found = FolderSource(tmp_path / "named")
    offers = [offer for category in ("judo", "archery", "karate") for offer in found.candidates(category, WEEK)]
    assert [offer.source_id for offer in offers if isinstance(offer, Candidate)] == [
        "judo/good.mp4", "judo/here.mp4", "archery/own.mp4"
    ]  # fmt: skip
    assert {offer.item: offer.reason for offer in offers if isinstance(offer, Unreadable)} == {
        "judo/away.mp4": "refused address", "judo/folder": "refused address", "judo/loop.mp4": "refused address",
        "judo/sibling": "link to a folder", "karate": "refused address", "judo/annexed.mp4": "unreadable",
        "judo/pipe.mp4": "unreadable",
    }  # fmt: skip
    assert {offer.item for offer in offers if isinstance(offer, Unreadable) and offer.retryable} == {"judo/annexed.mp4"}
    assert [str(entry) for entry in found.unplaced()] == [
        "README.txt set aside: no category: lies in no sub-folder, want one per category",
        "far set aside: unreadable: File name too long",
        "golf set aside: unreadable: is a link to nothing",
    ]
    # A link that leads elsewhere by the time of the fetch.
    (source / "judo" / "good.mp4").unlink()
    (source / "judo" / "good.mp4").symlink_to(outside / "secret.mp4")
    (good,) = [offer for offer in offers if isinstance(offer, Candidate) and offer.source_id == "judo/good.mp4"]
    with pytest.raises(Unfetched, match="refused address"):
        locations.parse(good.location, good.source).probe(Access(collect=Collect(), fetch=QUICK, environ={}))


def test_a_line_of_a_manifest_ends_where_its_format_says(tmp_path: Path) -> None:
    titles = ["one\u2028two", "one\x85two", "one\x0btwo", "one\ntwo"]
    lines = [
        json.dumps({"category": "judo", "location": title, "title": title}, ensure_ascii=False) for title in titles
    ]
    (tmp_path / "m.jsonl").write_text("\r\n".join(lines))
    rows = [["category", "location", "title"], *(["judo", title, title] for title in titles)]
    with (tmp_path / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    for name in ("m.jsonl", "m.csv"):
        source = ManifestSource(tmp_path / name)
        assert source.categories() == ["judo"]
        found = list(source.candidates("judo", WEEK))
        assert [offer.title for offer in found if isinstance(offer, Candidate)] == titles


def test_a_line_that_repeats_an_id_is_the_same_video_or_is_set_aside(tmp_path: Path) -> None:
    rows = ["a.mp4,one", "a.mp4,one", "b.mp4,one", "b.mp4,two", "c.mp4,", "c.mp4,"]
    (tmp_path / "m.csv").write_text("category,location,source_id\n" + "".join(f"judo,{row}\n" for row in rows))
    found = list(ManifestSource(tmp_path / "m.csv").candidates("judo", WEEK))
    assert [offer.source_id for offer in found if isinstance(offer, Candidate)] == ["one", "two", "c.mp4"]
    (aside,) = [offer for offer in found if isinstance(offer, Unreadable)]
    assert str(aside) == "m.csv line 4 set aside: bad entry: source_id 'one' is that of line 2, with another location"


def test_a_line_whose_category_or_text_cannot_be_stored_holds_up_no_other(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    lines = [
        {"category": "judo", "location": "a.mp4"}, {"category": "—", "location": "b.mp4"}, {"location": "c.mp4"},
        {"category": "judo", "location": "d.mp4", "title": "half \ud800"}, {"category": 7.5, "location": "e.mp4"},
        {"category": "judo", "location": "f.mp4", "source_id": "nul \0"}, {"category": " ", "location": "g.mp4"},
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, lines)))
    source = ManifestSource(path)
    found = list(source.candidates("judo", WEEK))
    assert [offer.location for offer in found if isinstance(offer, Candidate)] == [str(tmp_path / "a.mp4")]
    assert [offer.item for offer in found if isinstance(offer, Unreadable)] == ["m.jsonl line 4", "m.jsonl line 6"]
    assert [entry.item for entry in source.unplaced()] == [f"m.jsonl line {line}" for line in (3, 5, 7)]
    told = unplaced_lines([source], Categories.of(source.categories()))
    assert told[0] == "set aside 4 entries:"
    assert "category '—' has no letter" in told[1]


def test_a_name_that_is_not_utf8_and_a_folder_without_permission_hold_up_no_other_file(tmp_path: Path) -> None:
    for name in (b"judo/caf\xe9.mp4", b"judo/ok.mp4", b"judo/secret/b.mp4", b"locked/c.mp4"):
        path = Path(os.fsdecode(bytes(tmp_path) + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "judo/.hidden").mkdir()
    (tmp_path / "judo/.hidden/d.mp4").touch()
    script = (
        "import sys, pathlib\n"
        "from slac_tasks.collect.sources import FolderSource\n"
        "from slac_tasks.model import Window\n"
        "source = FolderSource(pathlib.Path(sys.argv[1]))\n"
        "for category in ('judo', 'locked'):\n"
        "    for offer in source.candidates(category, Window.parse('2026-01-05')):\n"
        "        print(getattr(offer, 'source_id', offer))"
    )
    # Root reads everything until these two rights are taken from it.
    rights = "-dac_override,-dac_read_search"
    drop = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"] if os.geteuid() == 0 else []
    if drop and not shutil.which("setpriv"):
        pytest.skip("setpriv: absent, and root may read everything")
    for folder in ("judo/secret", "locked"):
        (tmp_path / folder).chmod(0)
    try:
        run = subprocess.run(
            [*drop, sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
        )
    finally:
        for folder in ("judo/secret", "locked"):
            (tmp_path / folder).chmod(0o755)
    assert sorted(run.stdout.splitlines()) == [
        "judo/caf\\xe9.mp4 set aside: bad name: source_id 'judo/caf\\xe9.mp4' is not UTF-8",
        "judo/ok.mp4",
        "judo/secret set aside: unreadable: Permission denied",
        "locked set aside: unreadable: Permission denied",
    ]


class Listing(FolderStore):
    """A store that lists what an S3 server may list."""

    found: tuple[str, ...] = ()

    def names(self, prefix: str) -> Iterator[str]:
        yield from self.found


def test_markers_of_folders_are_no_videos_and_odd_names_hold_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Listing(tmp_path)
    store.found = ("judo/", "judo/a//b.mp4", "judo/a\\b.mp4", "judo/sub/", "judo/sub/a.mp4", "柔道/b.mp4")
    monkeypatch.setattr(bucket, "open_store", lambda url, environ: store)
    (source,) = open_sources(["s3://videos"], environ={})
    assert source.categories() == ["judo", "柔道"]
    found = list(source.candidates("judo", WEEK))
    assert [offer.source_id for offer in found if isinstance(offer, Candidate)] == ["judo/sub/a.mp4"]
    aside = [(offer.item, offer.reason) for offer in found if isinstance(offer, Unreadable)]
    assert aside == [("judo/a//b.mp4", "bad name"), ("judo/a\\b.mp4", "bad name")]


def test_a_parquet_manifest_is_a_manifest(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 6, 12, tzinfo=UTC)
    table = pa.table({"category": ["Judo", "Golf"], "location": ["a.mp4", "b.mp4"], "published_at": [moment, None]})
    pq.write_table(table, tmp_path / "m.parquet")
    source = ManifestSource(tmp_path / "m.parquet")
    assert source.categories() == ["Judo", "Golf"]
    (judo,) = source.candidates("judo", WEEK)
    assert isinstance(judo, Candidate)
    assert judo.published_at == moment


def test_a_bucket_has_a_sub_prefix_for_each_category(s3: dict[str, str]) -> None:
    root = "s3://slac/originals"
    store = open_store(root, s3)
    for name in ("Arm wave/one.mp4", "Arm wave/.hidden", "Jump/two.mp4", "loose.mp4"):
        store.put(name, b"bytes")
    (source,) = open_sources([root], environ=s3)
    assert source.categories() == ["Arm wave", "Jump"]
    (found,) = source.candidates("arm_wave", WEEK)
    assert isinstance(found, Candidate)
    assert (found.source_id, found.location) == ("Arm wave/one.mp4", f"{root}/Arm wave/one.mp4")
    assert [entry.item for entry in source.unplaced()] == ["loose.mp4"]


def test_a_search_asks_for_each_name_and_keeps_what_the_site_says(server: Planned) -> None:
    collect = Collect(
        sources=(f"yt-dlp:{server.url}/feed?q={{query}}&after={{start}}",),
        synonyms=("judo: hip throw", "golf: swing"),
        allow_private_addresses=True,
    )
    (source,) = open_sources(collect, QUICK)
    found = list(source.candidates("judo", WEEK))
    dates = {offer.title: offer.published_at for offer in found if isinstance(offer, Candidate)}
    assert dates["First throw"] == datetime(2026, 1, 6, 10, tzinfo=UTC)
    assert set(dates) == {"First throw", "Old throw"}
    assert [offer.reason for offer in found if isinstance(offer, Unreadable)] == ["gone"]
    assert server.count("/feed") >= 2
    first = next(offer for offer in found if isinstance(offer, Candidate))
    web = Web(QUICK, allow_private=True)
    assert sites.about(web, locations.address_of(first.location))["url"] == f"{server.url}/v/one.mp4"


def test_what_can_be_fetched_from_a_site_can_be_found_there(server: Planned, tmp_path: Path) -> None:
    def choosy(handler: planned_server.Handler) -> None:
        """Refuse whoever does not ask as a browser does, which the library's headers say."""
        (served if "Mozilla" in handler.headers.get("User-Agent", "") else status(403))(handler)

    served = serve(b"bytes")
    server.paths["/choosy.mp4"] = choosy
    access = Access(collect=Collect(allow_private_addresses=True), fetch=QUICK, environ={})
    place = locations.parse(f"yt-dlp+{server.url}/choosy.mp4")
    place.probe(access)
    assert place.open(access, tmp_path).path.read_bytes() == b"bytes"


def test_what_a_search_finds_beyond_the_most_that_is_taken_is_said(
    server: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{server.url}/feed?q={{query}}"
    (source,) = open_sources(Collect(sources=(f"yt-dlp:{address}",), allow_private_addresses=True), QUICK)
    every = list(source.candidates("judo", WEEK))
    for most, said in ((len(every), []), (1, ["too many results"])):
        monkeypatch.setattr("slac_tasks.collect.sources.search.MOST", most)
        found = list(source.candidates("judo", WEEK))
        assert found[:most] == every[:most]
        assert [offer.reason for offer in found[most:] if isinstance(offer, Unreadable)] == said
        assert len(found) == most + len(said)


def test_a_search_that_finds_nothing_offers_nothing(server: Planned) -> None:
    empty = FEED.partition("<item>")[0] + "</channel></rss>"
    server.paths["/empty"] = serve(empty.encode(), kind="application/rss+xml")
    collect = Collect(sources=(f"yt-dlp:{server.url}/empty?q={{query}}",), allow_private_addresses=True)
    (source,) = open_sources(collect, QUICK)
    assert list(source.candidates("judo", WEEK)) == []
    before = server.count("/feed")
    assert len(list(sites.search(Web(QUICK, allow_private=True), f"{server.url}/feed", 1))) == 1
    assert server.count("/empty") == server.count("/feed") - before, "it is not asked once more as a video"


def test_the_library_is_held_to_the_same_addresses(server: Planned) -> None:
    strict = Web(QUICK, allow_private=False)
    before = len(server.asked)
    with pytest.raises(Unfetched, match=r"refused address: 127\.0\.0\.1"):
        sites.about(strict, f"{server.url}/v/one.mp4")
    with pytest.raises(Unfetched, match="private"):
        sites.about(Web(QUICK, allow_private=True), f"{server.url}/private")
    with pytest.raises(Unfetched):
        sites.about(strict, "file:///etc/passwd")
    assert len(server.asked) == before + 1


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Private video. Sign in if you have been granted access", "private"),
        ("Video unavailable. This video has been removed by the uploader", "gone"),
        ("The uploader has not made this video available in your country", "region"),
        ("Sign in to confirm you’re not a bot", "rate-limited"),  # noqa: RUF001
        ("Unsupported URL: https://a.example", "not a video"),
        ("Requested format is not available", "no direct media"),
        ("something else", "refused"),
    ],
)
def test_what_a_site_says_has_a_reason(message: str, reason: str) -> None:
    assert sites._meaning(message, []).reason == reason


@pytest.mark.parametrize(
    "said",
    [
        {"title": ["a"]}, {"title": {"en": "a"}}, {"title": 5}, {"license": ["CC"]}, {"title": "half \ud800"},
        {"timestamp": "noon"}, {"timestamp": 1e300}, {"timestamp": float("nan")}, {"timestamp": [1]},
        {"upload_date": "20261301"}, {"upload_date": 5}, {"id": "a\0"},
    ],
)  # fmt: skip
def test_what_a_site_says_of_one_video_holds_up_no_other(said: dict[str, Any]) -> None:
    found = search._offer({"id": "abc", "page": "https://a.example/abc", **said})
    assert isinstance(found, Unreadable)
    assert (found.item, found.reason) == ("https://a.example/abc", "bad entry")


def test_search_words() -> None:
    assert terms("clean_and_jerk", ("clean_and_jerk: power clean, snatch", "judo: throw")) == [
        "clean and jerk", "power clean", "snatch"
    ]  # fmt: skip
    with pytest.raises(WrongArguments, match="want `category_key"):
        terms("judo", ("judo",))


def test_a_search_that_must_wait_is_tried_later(server: Planned) -> None:
    server.paths["/later"] = status(429, Retry_After="0")
    collect = Collect(sources=(f"yt-dlp:{server.url}/later?q={{query}}",), allow_private_addresses=True)
    (source,) = open_sources(collect, QUICK)
    with pytest.raises(Temporary, match="rate-limited"):
        list(source.candidates("judo", WEEK))
    with pytest.raises(WrongArguments, match="query"):
        open_sources(["yt-dlp:ytsearch5:judo"])


def test_a_source_is_a_folder_or_manifest_where_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "videos" / "judo").mkdir(parents=True)
    (tmp_path / "readme.pdf").touch()
    for name in ("~/videos", str(tmp_path / "videos")):
        assert [source.categories() for source in open_sources([name])] == [["judo"]]
    for name, found in (
        ("~/nowhere.csv", "No such file"),
        ("~/readme.pdf", "is none of these"),
        ("x" * 300, "too long"),
    ):
        with pytest.raises(NotConfigured, match=f"source {name}: .*{found}.*, want a folder"):
            open_sources([name])


@pytest.mark.parametrize(
    ("message", "reason", "retryable"),
    [("Sign in to confirm you are not a bot", "rate-limited", True), ("This video does not exist", "private", False)],
)
def test_a_site_that_asks_to_come_back_is_asked_again_whatever_else_failed(
    server: Planned, monkeypatch: Any, message: str, reason: str, retryable: bool
) -> None:
    def looked(self: GenericIE, _: str) -> None:
        self._download_webpage(f"{server.url}/private", "v", fatal=False)
        raise ExtractorError(message, expected=True)

    monkeypatch.setattr(GenericIE, "_real_extract", looked)
    with pytest.raises(Unfetched) as no:
        sites.about(Web(QUICK, allow_private=True), f"{server.url}/page")
    assert (no.value.reason, no.value.retryable) == (reason, retryable)


def test_a_gap_in_a_list_is_no_video(server: Planned, monkeypatch: Any) -> None:
    def listed(self: GenericIE, url: str) -> Any:
        found = self.url_result(f"{server.url}/v/one.mp4", video_id="one", timestamp=1767600000)
        return self.playlist_result([None, found, None])

    web = Web(QUICK, allow_private=True)
    with monkeypatch.context() as patch:
        patch.setattr(GenericIE, "_real_extract", listed)
        assert [entry["id"] for entry in sites.search(web, f"{server.url}/page", 5)] == ["one"]
    monkeypatch.setattr(GenericIE, "_real_extract", lambda self, _: self.playlist_result([None]))
    assert list(sites.search(web, f"{server.url}/page", 5)) == []
    with pytest.raises(Unfetched, match="not a video: names 0 videos"):
        sites.about(web, f"{server.url}/page")


def test_what_a_reader_of_pages_trips_over_is_the_pages_own_failure(server: Planned, monkeypatch: Any) -> None:
    def trip(*_: Any, **__: Any) -> None:
        raise TypeError("'NoneType' object is not iterable")

    monkeypatch.setattr(sites._Library, "extract_info", trip)
    with pytest.raises(Unfetched, match="bad answer: page: TypeError") as no:
        sites.about(Web(QUICK, allow_private=True), f"{server.url}/page")
    assert no.value.retryable
