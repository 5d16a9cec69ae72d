"""Fetch and takedown as stages and commands, against a server that fails on purpose."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import planned_server
import pytest
from planned_server import Planned, cut, serve, status

from slac_tasks import cli
from slac_tasks.admission import withdrawals
from slac_tasks.collect.downloads import scratch
from slac_tasks.collect.locations import Access
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.commands import release_verify
from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.job import Job
from slac_tasks.model import Window, content_hash
from slac_tasks.planning.items import Item
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import collect_videos
from slac_tasks.stages import deduplicate, discover, fetch
from slac_tasks.storage.datasets import CANDIDATES, FETCHED, RELEASES, VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets

WEEK = "2026-01-05"
KEYS = {"category": "judo", "window": WEEK}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Three short videos, each of its own."""
    found = []
    for number, picture in enumerate(("testsrc=s=160x120", "mandelbrot=s=160x120", "life=s=160x120:mold=10:seed=4")):
        path = tmp_path_factory.mktemp("films") / f"{number}.mp4"
        argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", f"{picture}:r=24", "-t", "3"]
        subprocess.run([*argv, "-pix_fmt", "yuv420p", "-preset", "ultrafast", str(path)], check=True)
        found.append(path.read_bytes())
    return found


@pytest.fixture
def server(films: list[bytes]) -> Iterator[Planned]:
    with planned_server.running() as planned:
        planned.paths |= {f"/{number}.mp4": serve(film) for number, film in enumerate(films)}
        yield planned


def settings(tmp_path: Path, manifest: Path, **fetching: Any) -> Config:
    return Config(
        store_url=str(tmp_path / "store"),
        collect=Collect(sources=(str(manifest),), allow_private_addresses=True),
        fetch=Fetch(requests_per_sec=500.0, scratch=str(tmp_path / "scratch"), max_wait_sec=2.0, **fetching),
    )


def listed(tmp_path: Path, server: Planned, *paths: str) -> Path:
    manifest = tmp_path / "m.jsonl"
    lines = [{"category": "Judo", "location": server.url + path, "source_id": path} for path in paths]
    manifest.write_text("\n".join(json.dumps(line) for line in lines))
    return manifest


def run(module: Any, config: Config, url: str, **more: Any) -> Datasets:
    stage = module.__name__.rpartition(".")[2]
    environ = {"SLAC_DATABASE_URL": url}
    given = {"window": WEEK, **({"retry": more.pop("retry")} if "retry" in more else {})}
    job = Job(stage=stage, config=config, environ=environ, categories=("judo",), given=given, **more)
    module.run(job)
    if "ledger" in vars(job):
        job.ledger.close()
    return job.datasets


@pytest.fixture
def judo(ledger_url: str) -> str:
    ledger = Ledger(ledger_url)
    ledger.run("register_category", category="judo", name="Judo", guideline=None)
    ledger.close()
    return ledger_url


def test_each_failure_is_counted_and_a_rerun_asks_only_for_what_is_missing(
    tmp_path: Path, server: Planned, films: list[bytes], judo: str
) -> None:
    server.paths |= {
        "/gone": status(410), "/private": status(403), "/region": status(451), "/busy": status(429, Retry_After="0"),
        "/broken": status(500), "/words": serve(b"words, and no pictures"),
        "/half": serve(films[0][: len(films[0]) // 2]),
        "/inward": status(302, Location="ftp://10.0.0.1/"), "/cut": cut(films[1], iter([5000, 9000])),
        "/bracket": status(302, Location="http://["),
        "/digits": lambda handler: handler.head(200, Content_Length="\xb2"),
        "/zone": status(429, Retry_After="Mon, 05 Jan 2026 00:00:00 +99999999999999"),
    }  # fmt: skip
    paths = ["/0.mp4", "/cut", "/gone", "/private", "/region", "/busy", "/broken", "/words", "/half", "/inward"]
    paths += ["/bracket", "/digits", "/zone"]
    config = settings(tmp_path, listed(tmp_path, server, *paths), workers=4)
    run(discover, config, judo)
    datasets = run(fetch, config, judo)
    made = datasets.need(FETCHED, **KEYS)
    assert made.dropped == {
        "bad address": 2, "bad answer": 1, "corrupt": 1, "gone": 1, "not a video": 1, "private": 1, "rate-limited": 2,
        "region": 1, "server error": 1,
    }  # fmt: skip
    assert made.rows == 2
    assert made.retryable == 4
    assert (server.count("/cut"), server.count("/broken"), server.count("/gone")) == (3, 3, 1)
    before = len(server.asked)
    server.paths |= {"/busy": serve(films[2]), "/broken": status(404), "/digits": status(410), "/zone": status(410)}
    datasets = run(fetch, config, judo, remake=True)
    again = datasets.need(FETCHED, **KEYS)
    assert (again.generation, again.rows, again.dropped["gone"], again.retryable) == (2, 3, 4, 0)
    assert sorted(path for _, path, _ in server.asked[before:]) == ["/broken", "/busy", "/digits", "/zone"]
    assert not list(datasets.store.names("fetching/"))
    assert not [path for path in (tmp_path / "scratch").iterdir() if path.is_dir()]


def mixed(data: bytes, other: bytes) -> Callable[[planned_server.Handler], None]:
    """Serve a half, and as what follows the bytes of another file; whoever begins anew then gets all."""
    begins = iter([len(data) // 2])

    def answer(handler: planned_server.Handler) -> None:
        whole = serve(data) if handler.headers.get("Range") is None else serve(other)
        if handler.headers.get("Range") is None and (half := next(begins, None)):
            whole = cut(data, iter([half]))
        whole(handler)

    return answer


def test_parts_that_do_not_belong_together_are_fetched_again_from_the_first_byte(
    tmp_path: Path, server: Planned, films: list[bytes], judo: str
) -> None:
    digests = [hashlib.sha256(film).hexdigest() for film in films]
    server.paths |= {f"/mixed{at}": mixed(films[at], bytes(len(films[at]))) for at in range(2)}
    manifest = listed(tmp_path, server, "/mixed0", "/mixed1", "/2.mp4")
    # Of the first it is known which bytes it has; of the last too, and it has others.
    hashes = [{"sha256": digests[0]}, {}, {"sha256": digests[0]}]
    lines = [json.loads(line) | more for line, more in zip(manifest.read_text().splitlines(), hashes, strict=True)]
    manifest.write_text("\n".join(map(json.dumps, lines)))
    config = settings(tmp_path, manifest, tries=4)
    run(discover, config, judo)
    datasets = run(fetch, config, judo)
    made = datasets.need(FETCHED, **KEYS)
    assert sorted(row.media_sha256 for row in datasets.rows(FETCHED, **KEYS)) == sorted(digests[:2])
    assert (made.dropped, made.retryable) == ({"wrong hash": 1}, 0)
    assert server.count("/mixed0") == server.count("/mixed1") == 3
    assert server.count("/2.mp4") == 1, "what came whole and has other bytes stays so"


def test_a_candidate_that_was_mended_is_asked_for_again_and_no_other_one(
    tmp_path: Path, server: Planned, films: list[bytes], judo: str
) -> None:
    def listing(*lines: tuple[str, str | None]) -> None:
        """List videos by their own ids, at these places and with these hashes."""
        rows = [
            {"category": "Judo", "location": server.url + path, "source_id": str(number), "sha256": digest}
            for number, (path, digest) in enumerate(lines)
        ]
        manifest.write_text("\n".join(map(json.dumps, rows)))

    manifest = tmp_path / "m.jsonl"
    server.paths["/gone"] = status(410)
    digests = [hashlib.sha256(film).hexdigest() for film in films]
    listing(("/0.mp4", "0" * 64), ("/gone", None), ("/moved", None), ("/1.mp4", None))
    config = settings(tmp_path, manifest)
    run(discover, config, judo)
    assert run(fetch, config, judo).need(FETCHED, **KEYS).dropped == {"wrong hash": 1, "gone": 2}
    listing(("/0.mp4", digests[0]), ("/gone", None), ("/1.mp4", None), ("/2.mp4", None))
    run(discover, config, judo, remake=True)
    datasets = run(fetch, config, judo, follow=True)
    assert datasets.need(FETCHED, **KEYS).dropped == {"gone": 1}
    found = {row.source_id: (row.media_sha256, row.location) for row in datasets.rows(FETCHED, **KEYS)}
    assert found == {
        number: (digests[at], f"{server.url}/{at}.mp4") for number, at in (("0", 0), ("2", 1), ("3", 2))
    }  # fmt: skip
    # Whose bytes are known has them wherever they lie, and what is as it was is asked for no more.
    listing(("/moved", digests[0]), ("/gone", None), ("/1.mp4", None), ("/2.mp4", digests[2]))
    before = len(server.asked)
    run(discover, config, judo, remake=True)
    run(fetch, config, judo, follow=True)
    assert len(server.asked) == before


def test_an_object_on_a_machine_without_settings_of_s3_holds_up_no_other_video(
    tmp_path: Path, server: Planned, judo: str
) -> None:
    config = settings(tmp_path, listed(tmp_path, server, "/0.mp4"), tries=1)
    lines = (tmp_path / "m.jsonl").read_text()
    away = "\n" + json.dumps({"category": "Judo", "location": "s3://bucket/a.mp4"})
    (tmp_path / "m.jsonl").write_text(lines + away)
    run(discover, config, judo)
    made = run(fetch, config, judo).need(FETCHED, **KEYS)
    assert (made.rows, made.retryable) == (1, 1)
    (drop,) = made.drops
    assert drop.reason == "not configured"
    assert "SLAC_S3_ENDPOINT" in drop.detail
    # Where nothing else is there, a person has to know.
    (tmp_path / "m.jsonl").write_text(away)
    run(discover, config, judo, remake=True)
    with pytest.raises(NotConfigured, match=r"1 video, and none was fetched: .*SLAC_S3_ENDPOINT"):
        run(fetch, config, judo, remake=True)


def test_a_night_of_refusals_is_made_good_by_the_plan_and_nobody_types(
    tmp_path: Path, server: Planned, films: list[bytes], judo: str
) -> None:
    server.paths["/busy"] = status(429, Retry_After="0")
    config = settings(tmp_path, listed(tmp_path, server, "/0.mp4", "/busy"), retry_drops_after_days=2.0)
    for module in (discover, fetch, deduplicate):
        datasets = run(module, config, judo)
    assert datasets.need(VIDEOS, **KEYS).rows == 1
    server.paths["/busy"] = serve(films[1])
    ledger = Ledger(judo)

    def planned(days: int) -> list[Item]:
        """Return what the weekly run hands on so many days from now."""
        now = datetime.now(UTC) + timedelta(days=days)
        newest = str(Window.of(now - timedelta(days=7)))
        planner = Planner(settings=config, datasets=datasets, ledger=ledger, window=newest, now=now, environ={})
        return [item for item in collect_videos(planner) if WEEK in item.window]

    assert planned(1) == []
    (item,) = planned(3)
    for _ in range(2):  # the second time as a task that Airflow starts again
        run(fetch, config, judo, retry=item.retry, follow=True)
        run(deduplicate, config, judo, follow=True)
    assert (datasets.need(VIDEOS, **KEYS).rows, datasets.need(VIDEOS, **KEYS).generation) == (2, 2)
    assert server.count("/0.mp4") == 1
    assert planned(30) == []
    ledger.close()


def test_killed_at_any_instant_it_goes_on_where_it_was(
    tmp_path: Path, server: Planned, films: list[bytes], judo: str
) -> None:
    def slow(handler: planned_server.Handler) -> None:
        start = int(handler.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        span = {"Content_Range": f"bytes {start}-{len(films[1]) - 1}/{len(films[1])}"} if start else {}
        handler.head(206 if start else 200, ETag='"s"', Content_Length=str(len(films[1]) - start), **span)
        for at in range(start, len(films[1]), 4096):
            handler.wfile.write(films[1][at : at + 4096])
            time.sleep(0.0 if start else 0.2)

    server.paths["/slow"] = slow
    manifest = listed(tmp_path, server, "/0.mp4", "/slow")
    config = settings(tmp_path, manifest)
    run(discover, config, judo)
    (tmp_path / "slac.toml").write_text(
        f'[collect]\nsources = ["{manifest}"]\nallow_private_addresses = true\n'
        f'[fetch]\nrequests_per_sec = 500.0\nmax_wait_sec = 2.0\nscratch = "{tmp_path}/scratch"\n'
    )
    environ = {**os.environ, "SLAC_STORE": config.store_url, "SLAC_CONFIG": str(tmp_path / "slac.toml")}
    argv = [sys.executable, "-m", "slac_tasks.cli", "fetch", "--category", "judo", "--window", WEEK]
    process = subprocess.Popen(argv, env=environ, start_new_session=True)
    store = FolderStore(tmp_path / "store")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (list(store.names("fetching/")) and server.count("/slow")):
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert Datasets(store).manifest(FETCHED, **KEYS) is None
    before = len(server.asked)
    datasets = run(fetch, config, judo)
    assert datasets.need(FETCHED, **KEYS).rows == 2
    (request,) = server.asked[before:]
    assert request[1] == "/slow"
    assert request[2]["If-Range"] == '"s"'
    assert int(request[2]["Range"][6:-1]) > 0


def test_two_runs_at_once_fetch_once(tmp_path: Path, server: Planned, judo: str) -> None:
    config = settings(tmp_path, listed(tmp_path, server, "/0.mp4"))
    datasets = run(discover, config, judo)
    asked = len(server.asked)
    with scratch.alone(config.fetch, content_hash(datasets.store.url, f"judo/{WEEK}"), "the other run"):
        with pytest.raises(Temporary, match="fetch judo 2026-01-05: another process does it now"):
            run(fetch, config, judo)
    assert datasets.manifest(FETCHED, **KEYS) is None
    assert len(server.asked) == asked
    run(fetch, config, judo)
    assert datasets.need(FETCHED, **KEYS).rows == 1


def as_older(datasets: Datasets) -> None:
    """Rewrite the partition as the version before, which holds no addresses."""
    made = datasets.need(FETCHED, **KEYS)
    rows = datasets.read(FETCHED, **KEYS)
    for name in list(datasets.store.names(f"{made.address}/")):
        datasets.store.delete(name)
    older = FETCHED.upgrade.previous
    datasets.write(
        older, [rows.select(older.schema.names)], keys=KEYS, stage="fetch", settings=made.made_by.settings,
        made_from=made.made_from,
    )  # fmt: skip


def test_an_older_partition_is_counted_where_addresses_are_needed_and_mended_without_a_download(
    tmp_path: Path, server: Planned, judo: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = settings(tmp_path, listed(tmp_path, server, "/0.mp4", "/1.mp4"))
    for module in (discover, fetch):
        datasets = run(module, config, judo)
    as_older(datasets)
    assert [row.location for row in datasets.rows(FETCHED, **KEYS)] == [None, None]
    monkeypatch.setenv("SLAC_STORE", config.store_url)
    monkeypatch.setenv("SLAC_DATABASE_URL", judo)
    takedown = ["takedown", "--named", f"{server.url}/0.mp4", "--reason", "asked"]
    assert cli.main(takedown) == 0
    told = capsys.readouterr().err
    assert "takedown: 1 of 1 partition of fetched are of an older version without addresses" in told
    assert f"slac fetch --remake`, e.g. --category judo --window {WEEK}" in told
    assert "0 videos known" in told
    asked = len(server.asked)
    run(fetch, config, judo, remake=True)
    assert len(server.asked) == asked
    assert [row.location for row in datasets.rows(FETCHED, **KEYS)] == [f"{server.url}/1.mp4"]
    assert datasets.need(FETCHED, **KEYS).dropped == {"taken down": 1}
    assert cli.main(takedown) == 0
    assert "older version" not in capsys.readouterr().err


def test_a_takedown_holds_for_now_and_for_good(
    tmp_path: Path, server: Planned, judo: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = settings(tmp_path, listed(tmp_path, server, "/0.mp4", "/1.mp4", "/2.mp4"))
    for module in (discover, fetch, deduplicate):
        datasets = run(module, config, judo)
    videos = {row["source_id"]: row["video_id"] for row in datasets.read(VIDEOS, **KEYS).to_pylist()}
    assert len(videos) == 3
    rows = [
        {**dict.fromkeys(RELEASES.schema.names, ""), "support": None, "certificate": None, "benchmark": None,
         "published_at": None, "clip_id": f"{video}:0", "video_id": video,
         "category": "judo", "label": 1, "confidence": 1.0, "start_sec": 0.0, "end_sec": 2.0, "duration_sec": 3.0,
         "round": f"{WEEK}.p1", "source": str(tmp_path / "m.jsonl"), "source_id": name}
        for name, video in videos.items()
    ]  # fmt: skip
    of = datasets.need(VIDEOS, **KEYS)
    datasets.write(
        RELEASES, [RELEASES.from_records(rows)], keys={"release": "r0001"}, stage="release", settings={},
        made_from={of.address: of.mark},
    )  # fmt: skip
    monkeypatch.setenv("SLAC_STORE", config.store_url)
    monkeypatch.setenv("SLAC_DATABASE_URL", judo)
    (tmp_path / "names.csv").write_text("/0.mp4\n/1.mp4;asked\n")
    assert cli.main(["takedown", "--list", str(tmp_path / "names.csv"), "--reason", "asked"]) == 65
    assert not list(datasets.store.names("takedowns/"))
    (tmp_path / "names.csv").write_text(f"reason;named\nasked;/0.mp4\nasked;{server.url}/1.mp4\n;nobody-knows-it\n")
    for _ in range(2):
        assert cli.main(["takedown", "--list", str(tmp_path / "names.csv"), "--reason", "asked"]) == 0
    gone = {videos["/0.mp4"], videos["/1.mp4"]}
    assert {name.split("/")[1] for name in datasets.store.names("media/")} == {videos["/2.mp4"]}
    ledger = Ledger(judo)
    assert {row["video_id"] for row in ledger.rows("tombstones")} == gone
    ledger.close()
    withdrawn = list(datasets.store.names("release/"))
    assert sum("/withdrawn/" in name for name in withdrawn) == 2
    # Whoever finds it again, under whatever address: it stays out.
    for module in (discover, fetch, deduplicate):
        run(module, config, judo, remake=True)
    assert datasets.need(CANDIDATES, **KEYS).dropped == {"taken down": 2}
    assert datasets.need(VIDEOS, **KEYS).rows == 1
    for number in range(2):  # one was named by its source's name, the other one by its address
        server.paths[f"/copy{number}"] = server.paths[f"/{number}.mp4"]
    copied = settings(tmp_path, listed(tmp_path, server, "/copy0", "/copy1"))
    for module in (discover, fetch):
        run(module, copied, judo, remake=True)
    assert datasets.need(FETCHED, **KEYS).dropped == {"taken down": 2}
    assert {name.split("/")[1] for name in datasets.store.names("media/")} == {videos["/2.mp4"]}
    every = withdrawals.Withdrawals.read(datasets.store)
    assert all(every.covers_any(video_id) for video_id in gone), "what knows a video by its id alone"
    assert cli.main(["recheck", "--release", "r0001"]) == 0
    assert "release r0001" in capsys.readouterr().out
    access = Access(collect=copied.collect, fetch=copied.fetch, environ={})
    found = release_verify.links(datasets, "r0001", 3, access)
    assert found.ok
    assert "2 withdrawn since" in found.found
