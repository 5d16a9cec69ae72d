"""`slac exclude` through the command line: what is listed or shown by another benchmark never joins, or leaves."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from slac_tasks import cli
from slac_tasks.admission.exclusions import fingerprinting
from slac_tasks.admission.exclusions.registry import Names, excluded_by_name, excluded_videos
from slac_tasks.admission.likeness.fingerprints import fingerprint
from slac_tasks.collect.settings import Collect
from slac_tasks.commands import exclude
from slac_tasks.config import Config
from slac_tasks.errors import is_disk_full
from slac_tasks.job import Job
from slac_tasks.reconcile import repair
from slac_tasks.stages import deduplicate, discover, fetch
from slac_tasks.storage.datasets import CANDIDATES, FETCHED, RELEASES, VIDEOS
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review

WEEK = "2026-01-05"
KEYS = {"category": "judo", "window": WEEK}
YOUTUBE_ID = "0347ZoDXyP0"
LATIN = os.fsdecode(b"caf\xe9.mkv")
FILMS = {
    f"{YOUTUBE_ID}_000012_000022.mp4": "testsrc=s=320x240",
    "zoom.mp4": "mandelbrot=s=320x240",
    "cells.mp4": "life=s=320x240:mold=10:seed=4",
}


def ffmpeg(*words: str) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *words], check=True)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sources with three films, and one of which two of them were re-encoded and a file is broken."""
    root = tmp_path_factory.mktemp("films")
    for folder in ("sources/judo", "held_out/deep"):
        (root / folder).mkdir(parents=True)
    for name, picture in FILMS.items():
        ffmpeg(
            "-f", "lavfi", "-i", f"{picture}:r=24", "-t", "6", "-pix_fmt", "yuv420p", str(root / "sources/judo" / name)
        )
    small = ("-vf", "scale=200:160,hue=s=0", "-crf", "30")
    ffmpeg("-i", str(root / "sources/judo/zoom.mp4"), "-t", "5", *small, str(root / "held_out/deep/a.mkv"))
    (root / "held_out/broken.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom")
    (root / "held_out/.hidden").write_bytes(b"x")
    # Old archives hold names in Latin-1.
    (root / "held_out/deep/a.mkv").rename(root / "held_out/deep" / LATIN)
    return root


@pytest.fixture
def judo(ledger_url: str, tmp_path: Path, films: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger with one category; the settings of the command line point at it and at the films."""
    ledger = Ledger(ledger_url)
    ledger.run("register_category", category="judo", name="Judo", guideline=None)
    ledger.close()
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    return ledger_url


def run(tmp_path: Path, films: Path, url: str, *stages: Any, remake: bool = False) -> Datasets:
    config = Config(store_url=str(tmp_path / "store"), collect=Collect(sources=(str(films / "sources"),)))
    for module in stages:
        stage = module.__name__.rpartition(".")[2]
        job = Job(
            stage=stage, config=config, environ={"SLAC_DATABASE_URL": url}, categories=("judo",),
            given={"window": WEEK},
            remake=remake,
        )  # fmt: skip
        module.run(job)
        if "ledger" in vars(job):
            job.ledger.close()
    return job.datasets


def dropped(datasets: Datasets, dataset: Any) -> dict[str, str]:
    """Return reason and detail of each drop, by the file of the candidate."""
    return {drop.item: f"{drop.reason}: {drop.detail}" for drop in datasets.need(dataset, **KEYS).drops}


def names(datasets: Datasets) -> set[str]:
    return {Path(row["source_id"]).name for row in datasets.read(VIDEOS, **KEYS).to_pylist()}


def ids(tmp_path: Path) -> Path:
    path = tmp_path / "kinetics_val.csv"
    path.write_text(f"label,youtube_id,time_start,time_end,split\njudo,{YOUTUBE_ID},12,22,val\njudo,zoom,0,9,train\n")
    return path


def test_what_is_listed_is_not_a_candidate(
    tmp_path: Path, films: Path, judo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["exclude", "add", str(ids(tmp_path))]) == 0
    assert (
        "exclude: 1 name of kinetics registered, 1 of other use left out; 0 admitted videos" in capsys.readouterr().err
    )
    datasets = run(tmp_path, films, judo, discover)
    assert list(dropped(datasets, CANDIDATES).values()) == [f"excluded: {YOUTUBE_ID} of kinetics"]
    assert datasets.need(CANDIDATES, **KEYS).rows == 2
    assert cli.main(["exclude", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[:3] == ["kinetics", "1", "0"]


def test_what_is_listed_while_it_is_fetched_is_not_admitted(tmp_path: Path, films: Path, judo: str) -> None:
    run(tmp_path, films, judo, discover)
    assert cli.main(["exclude", "add", str(ids(tmp_path))]) == 0
    datasets = run(tmp_path, films, judo, fetch, deduplicate)
    assert datasets.need(FETCHED, **KEYS).rows == 3
    assert names(datasets) == {"zoom.mp4", "cells.mp4"}
    (detail,) = dropped(datasets, VIDEOS).values()
    assert detail.startswith("excluded: shows ")
    assert detail.endswith(f"{YOUTUBE_ID} of kinetics")


def test_what_shows_the_same_as_a_video_of_the_folder_is_not_admitted(
    tmp_path: Path, films: Path, judo: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["exclude", "add", str(films / "held_out"), "--benchmark", "UCF-101"]) == 0
    said = capsys.readouterr().err
    assert "exclude: broken.mp4 set aside: corrupt" in said
    assert "1 video of ucf_101 registered; 0 admitted videos leave" in said
    asked: list[Path] = []
    files = fingerprinting.fingerprint_files
    monkeypatch.setattr(exclude, "fingerprint_files", lambda paths: (asked.extend(paths), files(paths))[1])
    assert cli.main(["exclude", "add", str(films / "held_out"), "--benchmark", "UCF-101"]) == 0
    assert [path.name for path in asked] == ["broken.mp4"]
    assert cli.main(["exclude", "add", str(films / "held_out"), "--benchmark", "another"]) == 0
    assert "0 videos of another registered, 1 were before, of ucf_101;" in capsys.readouterr().err
    datasets = run(tmp_path, films, judo, discover, fetch, deduplicate)
    assert names(datasets) == {"cells.mp4", f"{YOUTUBE_ID}_000012_000022.mp4"}
    (detail,) = dropped(datasets, VIDEOS).values()
    assert detail.endswith("of ucf_101")


def released(datasets: Datasets) -> dict[str, str]:
    """Release a label of every admitted video; return their ids by file."""
    videos = {Path(row["source_id"]).name: row["video_id"] for row in datasets.read(VIDEOS, **KEYS).to_pylist()}
    rows = [
        {**dict.fromkeys(RELEASES.schema.names, ""), "support": None, "certificate": None, "benchmark": None,
         "published_at": None, "clip_id": f"{video}:0", "video_id": video,
         "category": "judo", "label": 1, "confidence": 1.0, "start_sec": 0.0, "end_sec": 2.0, "duration_sec": 3.0,
         "round": f"{WEEK}.p1"}
        for video in videos.values()
    ]  # fmt: skip
    datasets.write(
        RELEASES, [RELEASES.from_records(rows)], keys={"release": "r0001"}, stage="release", settings={}, made_from={}
    )
    return videos


def test_what_was_admitted_before_leaves_and_keeps_its_bytes(
    tmp_path: Path, films: Path, judo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    datasets = run(tmp_path, films, judo, discover, fetch, deduplicate)
    videos = released(datasets)
    media = sorted(datasets.store.names("media/"))
    for _ in range(2):
        assert cli.main(["exclude", "add", str(ids(tmp_path))]) == 0
        assert cli.main(["exclude", "add", str(films / "held_out")]) == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "withdrawn from" in line]
    assert [line.partition("; ")[2] for line in said] == [
        "1 admitted video leaves, withdrawn from r0001", "1 admitted video leaves, withdrawn from r0001",
        "0 admitted videos leave, withdrawn from no release", "0 admitted videos leave, withdrawn from no release",
    ]  # fmt: skip
    assert sorted(datasets.store.names("media/")) == media
    listed, shown = videos[f"{YOUTUBE_ID}_000012_000022.mp4"], videos["zoom.mp4"]
    ledger = Ledger(judo)
    reasons = {row["video_id"]: row["reason"] for row in ledger.rows("tombstones")}
    assert reasons == {listed: "excluded: kinetics", shown: "excluded: held_out"}
    withdrawn = [json.loads(datasets.store.get(n)) for n in datasets.store.names("release/") if "/withdrawn/" in n]
    assert {note["video_id"]: note["reason"] for note in withdrawn} == reasons
    # A copy of what was listed comes under another name: what it shows is known.
    shutil.copytree(films / "sources", tmp_path / "again/sources")
    for path in (tmp_path / "again/sources/judo").iterdir():
        path.unlink()
    origin = films / "sources/judo" / f"{YOUTUBE_ID}_000012_000022.mp4"
    ffmpeg("-i", str(origin), "-vf", "scale=240:180", str(tmp_path / "again/sources/judo/other.mp4"))
    datasets = run(tmp_path, tmp_path / "again", judo, discover, fetch, deduplicate, remake=True)
    (detail,) = dropped(datasets, VIDEOS).values()
    assert detail == f"excluded: shows {listed} of kinetics"
    ledger.close()


def test_a_restored_ledger_is_told_what_is_excluded(tmp_path: Path, films: Path, judo: str, ledger: Ledger) -> None:
    for path in (ids(tmp_path), films / "held_out"):
        assert cli.main(["exclude", "add", str(path)]) == 0
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT video_id FROM excluded_media")
        (video_id,) = cursor.fetchone()
        cursor.execute("TRUNCATE excluded_names, excluded_media")
    lines = list(repair(Datasets(open_store(str(tmp_path / "store"))), ledger, Review()))
    assert "exclusions in the store and in the ledger: 2" in lines
    row = Names(candidate_id="c", source_id="x", location=f"https://youtu.be/{YOUTUBE_ID}")
    assert str(excluded_by_name(ledger, [row])["c"]) == f"{YOUTUBE_ID} of kinetics"
    assert excluded_videos(ledger, [video_id, "0"]) == {video_id: "held_out"}


def test_a_folder_without_a_usable_video_and_a_bad_list_are_refused(
    tmp_path: Path, judo: str, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert cli.main(["exclude", "add", str(tmp_path / "empty")]) == 65
    (tmp_path / "empty/a.mp4").touch()
    assert cli.main(["exclude", "add", str(tmp_path / "empty")]) == 65
    assert "holds 1 file and no usable video, want at least one" in capsys.readouterr().err
    # What cannot be read may be the very video that would slip in.
    (tmp_path / "empty/annexed.mp4").symlink_to(tmp_path / "nothing")
    assert cli.main(["exclude", "add", str(tmp_path / "empty")]) == 64
    assert "nothing was registered: " in capsys.readouterr().err
    path = ids(tmp_path)
    path.write_text(path.read_text() + "judo,x,1,2,nothing\n")
    assert cli.main(["exclude", "add", str(path)]) == 65
    assert "line 4: split is 'nothing'" in capsys.readouterr().err
    assert cli.main(["exclude", "add", str(tmp_path / "nowhere.csv")]) == 64
    assert ledger.rows("exclusions") == []


def test_the_process_that_opens_files_holds_no_secrets(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, str]] = []

    class Watched(subprocess.Popen):
        def __init__(self, *words: Any, **more: Any) -> None:
            given.append(more["env"])
            super().__init__(*words, **more)

    monkeypatch.setattr(fingerprinting.subprocess, "Popen", Watched)
    monkeypatch.setenv("SLAC_DATABASE_URL", "postgresql://slac:secret@localhost/slac")
    monkeypatch.setenv("SLAC_S3_SECRET_KEY", "secret")
    (found,) = fingerprinting.fingerprint_files([films / "held_out/deep" / LATIN])
    assert len(fingerprint(found.frame_hashes).rows) == 10
    assert not [name for name in given[0] if name.startswith("SLAC")]
    assert "secret" not in " ".join(given[0].values())
    assert os.environ["SLAC_DATABASE_URL"]


FULL_DISK = """
from slac_tasks.admission.exclusions import fingerprinting
def full(*_): raise OSError(28, "No space left on device", "/scratch")
fingerprinting.originals.make_proxy = full
fingerprinting.main()
"""


def test_a_full_disk_is_no_fault_of_the_files(films: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(subprocess.Popen):
        def __init__(self, words: Any, **more: Any) -> None:
            own = "slac_tasks.admission.exclusions.fingerprinting" in words
            super().__init__([sys.executable, "-c", FULL_DISK] if own else words, **more)

    monkeypatch.setattr(fingerprinting.subprocess, "Popen", Full)
    with pytest.raises(OSError, match="No space left") as caught:
        list(fingerprinting.fingerprint_files([films / "held_out/deep" / LATIN]))
    assert (is_disk_full(caught.value), caught.value.filename) == (True, "/scratch")
