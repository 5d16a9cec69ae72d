"""A lost ledger is put back from a store that lost something too: what that held is missing, and nothing else."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from platform_records import write
from review_work import ROUND, WINDOW, cast, lease
from segment_work import CATEGORY, admit, cast_segment, lease_segments, results

from slac_tasks import cli
from slac_tasks.errors import BrokenContract
from slac_tasks.quality.settings import Quality
from slac_tasks.reconcile import repair
from slac_tasks.stages import aggregate, publish, release, sync, validate
from slac_tasks.storage.datasets import (
    ALL,
    CANDIDATES,
    COMMITTEES,
    FETCHED,
    HARD_CLIPS,
    MEASURES,
    MODELS,
    QUALITY,
    VIDEOS,
    VOTES,
)
from slac_tasks.storage.datasets.collecting import CandidateRow
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review

_OF_CLIPS = {"queue", "listed_clips", "clip_facets", "votes", "batch_votes", "category_count_changes"}
_OF_SEGMENTS = {"segments", "segment_votes", "segment_batch_votes"}
_OF_VIDEOS = {"videos", "admissions", *_OF_CLIPS, *_OF_SEGMENTS}
MISSING = {
    "candidates": {"candidates"},
    "fetched": _OF_VIDEOS,
    "videos": _OF_VIDEOS,
    "committees": {"committees", "promotions"},
    "hard_clips": _OF_CLIPS,
    "votes": {"votes", "batches", "batch_votes", "category_count_changes"},
    "labels": {"clip_facets", "category_count_changes"},
    "people": {"annotator_quality", "category_agreement"},
    "agreement": {"annotator_quality", "category_agreement"},
    "measures": {"measures"},
    "quality": {"verdicts"},
    "segments": _OF_SEGMENTS,
    "segment_votes": {"segment_votes", "segment_batches", "segment_batch_votes"},
    "release": {"releases", "promotions"},
    "release_versions": {"releases", "promotions"},
}
"""The tables that have fewer rows where the store lost all of a dataset; of another one, none."""
_UNASKED = (
    "6 queued clips of videos that no window admits: not asked about",
    "6 segments of videos that no window admits: not asked about",
)
_UNCAST = (
    "15 votes on clips that no round in the store holds any more: lost",
    "12 votes about segments that the store holds no more: lost",
)
SAID = {
    "fetched": (
        "6 admitted videos in no list of fetched ones that the store holds: lost", *_UNASKED, *_UNCAST
    ),
    "videos": (*_UNASKED, *_UNCAST),
    "hard_clips": _UNCAST[:1],
    "segments": _UNCAST[1:],
    "release": ("release r0001: does not exist, want `slac release --release r0001`",),
}  # fmt: skip
GATE = {"quality": Quality(min_labels=1, min_positive_share=0.0, max_positive_share=1.0, min_precision=0.0)}
KEYS = {"category": CATEGORY, "window": WINDOW}
MADE: dict[str, Any] = {"stage": "test", "settings": {}}


@pytest.fixture
def datasets(
    make_job: Any, store: FolderStore, ledger_url: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Datasets:
    """A platform that went around once, its pretrained network in the committee, and a ledger that holds nothing."""
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    datasets = Datasets(store)
    videos = admit(ledger, datasets)
    results(tmp_path / "results.json", {video: [(10.0, 20.0, 0.5)] for video in videos})
    assert cli.main(["segments", "ask", str(tmp_path / "results.json"), "--as", "net"]) == 0
    publish.run(make_job("publish", categories=(CATEGORY,), round=ROUND))
    for person in ("ann", "bob", "cec"):
        for clip in lease(ledger, person):
            cast(ledger, person, clip["clip_id"], "yes")
        for row in lease_segments(ledger, person):
            cast_segment(ledger, person, row["segment_id"], "moved", (11.0, 19.5))
    sync.run(make_job("sync"))
    aggregate.run(make_job("aggregate"))
    validate.run(make_job("validate", settings=GATE))
    release.run(make_job("release", release="r0001"))
    one = CandidateRow(candidate_id=f"{CATEGORY} 0", source="test", source_id="name", location="a.mp4")
    datasets.write(CANDIDATES, [CANDIDATES.table([one])], keys=KEYS, made_from={}, **MADE)
    network = write(store, dataset=MODELS, keys={"release": "r0001"})
    seat = CommitteeRow(
        member="pretrained", architecture="r2plus1d_18", category=CATEGORY, backbone="b", head="h", output=0,
        weights="w", origin="release:r0001",
    )  # fmt: skip
    datasets.write(
        COMMITTEES, [COMMITTEES.table([seat])], keys={"committee": "c1"}, made_from={network.address: network.mark},
        **MADE,
    )  # fmt: skip
    empty(ledger)
    return datasets


def tables(ledger: Ledger) -> list[str]:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'")
        return [name for (name,) in cursor.fetchall()]


def empty(ledger: Ledger) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables(ledger))}")


def counted(ledger: Ledger) -> dict[str, int]:
    """Return how many rows each table has."""
    found = {}
    with ledger._connection.cursor() as cursor:
        for name in tables(ledger):
            cursor.execute(f"SELECT count(*) FROM {name}")
            (found[name],) = cursor.fetchone() or (0,)
    return found


def put_back(datasets: Datasets, ledger: Ledger) -> tuple[list[str], str]:
    """Return (what the repair said, with what it failed at its end)."""
    said: list[str] = []
    try:
        said.extend(repair(datasets, ledger, Review()))
    except BrokenContract as failure:
        return said, str(failure)
    return said, ""


def copy(datasets: Datasets, folder: Path, without: str = "") -> Datasets:
    """Return a copy of the store, without the partitions of a dataset."""
    root = Path(urlsplit(datasets.store.url).path)
    shutil.copytree(root, folder, ignore=lambda where, _: {without} if Path(where) == root else set())
    return Datasets(FolderStore(folder))


def test_what_the_store_lost_is_missing_and_nothing_else(datasets: Datasets, ledger: Ledger, tmp_path: Path) -> None:
    assert not put_back(datasets, ledger)[1]
    whole = counted(ledger)
    there = [name for name, dataset in ALL.items() if datasets.partitions(dataset)]
    assert set(MISSING) < set(there)
    for name in there:
        empty(ledger)
        said, failed = put_back(copy(datasets, tmp_path / name, name), ledger)
        now = counted(ledger)
        fewer = {table for table in whole if now[table] < whole[table]}
        assert fewer - {"datasets"} == MISSING.get(name, set()), name
        assert bool(failed) == (name == "agreement"), said
        for line in SAID.get(name, ()):
            assert line in said


def test_what_a_plan_makes_again_brings_back_all_that_needs_it(
    datasets: Datasets, ledger: Ledger, tmp_path: Path
) -> None:
    put_back(datasets, ledger)
    whole = counted(ledger)
    for name in ("videos", "fetched", "hard_clips", "segments"):
        empty(ledger)
        put_back(copy(datasets, tmp_path / name, name), ledger)
        assert counted(ledger) != whole
        for _ in range(2):
            assert not put_back(datasets, ledger)[1]
            assert counted(ledger) == whole


@pytest.mark.parametrize("harm", ["altered", "gone"])
@pytest.mark.parametrize("dataset", [FETCHED, HARD_CLIPS, VOTES, MEASURES, QUALITY], ids=lambda one: one.name)
def test_a_partition_that_nobody_can_read_is_named_and_holds_up_no_other(
    datasets: Datasets, ledger: Ledger, dataset: Dataset[Any], harm: str
) -> None:
    address = f"{dataset.name}/v{dataset.version}/"
    (part,) = [name for name in datasets.store.names(address) if name.endswith(".parquet")]
    if harm == "gone":
        datasets.store.delete(part)
    else:
        datasets.store.put(part, b"other bytes")
    said, failed = put_back(datasets, ledger)
    assert failed == "store: 1 partition not put back, want all: see above"
    (line,) = [line for line in said if "was not put back" in line]
    assert part in line
    assert counted(ledger)["category_agreement"] == counted(ledger)["releases"] == 1


@pytest.mark.parametrize("dataset", [FETCHED, HARD_CLIPS, VOTES], ids=lambda one: one.name)
def test_a_manifest_that_is_none_is_named_and_holds_up_no_other(
    datasets: Datasets, ledger: Ledger, dataset: Dataset[Any]
) -> None:
    put_back(datasets, ledger)
    whole, recorded = counted(ledger), ledger.rows("recorded_datasets")
    (name,) = [one for one in datasets.store.names(f"{dataset.name}/v{dataset.version}/") if "/manifest" in one]
    datasets.store.put(name, b"{}")
    for _ in range(2):
        said, failed = put_back(datasets, ledger)
        assert failed == "store: 1 partition not put back, want all: see above"
        (line,) = [line for line in said if "was not put back" in line]
        assert name in line
        # What the ledger has, it keeps; a person decides.
        assert counted(ledger) == whole
        assert ledger.rows("recorded_datasets") == recorded
    empty(ledger)
    put_back(datasets, ledger)
    assert counted(ledger)["category_agreement"] == counted(ledger)["releases"] == 1


def test_videos_that_were_fetched_again_without_some_of_them_are_put_back(datasets: Datasets, ledger: Ledger) -> None:
    """The generation from which a window was admitted is gone; an older one still holds what the newest lacks."""
    rows = datasets.rows(FETCHED, **KEYS)
    for some in (rows, rows[1:]):
        datasets.write(FETCHED, [FETCHED.table(some)], keys=KEYS, made_from={}, **MADE)
    lose(datasets, FETCHED.address(KEYS) + "/g0001/")
    put_back(datasets, ledger)
    assert counted(ledger)["videos"] == counted(ledger)["admissions"] == 6
    # Nothing holds it any more.
    lose(datasets, FETCHED.address(KEYS) + "/g0002/")
    empty(ledger)
    said, failed = put_back(datasets, ledger)
    assert not failed
    assert "1 admitted video in no list of fetched ones that the store holds: lost" in said
    assert counted(ledger)["videos"] == counted(ledger)["queue"] == counted(ledger)["segments"] == 5


def test_a_look_alike_waits_for_the_first_of_its_group(datasets: Datasets, ledger: Ledger) -> None:
    """The window that admitted the first one is lost, and a plan makes it again."""
    first, *others = datasets.rows(VIDEOS, **KEYS)
    other = {**KEYS, "window": "2026-01-12"}
    made_from = datasets.need(VIDEOS, **KEYS).made_from
    datasets.write(FETCHED, [FETCHED.table(datasets.rows(FETCHED, **KEYS))], keys=other, made_from={}, **MADE)
    grouped = [replace(others[0], group_id=first.video_id), *others[1:]]
    datasets.write(VIDEOS, [VIDEOS.table(grouped)], keys=other, made_from={}, **MADE)
    lose(datasets, VIDEOS.address(KEYS))
    said, failed = put_back(datasets, ledger)
    assert not failed
    assert any(line.startswith("1 admitted video like one that the store holds no more") for line in said)
    assert {row["video_id"] for row in ledger.rows("admitted_videos")} == {row.video_id for row in others[1:]}
    datasets.write(VIDEOS, [VIDEOS.table([first])], keys=KEYS, made_from=made_from, **MADE)
    assert not put_back(datasets, ledger)[1]
    groups = {row["video_id"]: row["group_id"] for row in ledger.rows("admitted_videos")}
    assert len(groups) == 6
    assert groups[others[0].video_id] == first.video_id


def test_a_committee_that_is_gone_is_current_no_more(datasets: Datasets, ledger: Ledger, tmp_path: Path) -> None:
    put_back(datasets, ledger)
    said, failed = put_back(copy(datasets, tmp_path / "without", "committees"), ledger)
    assert not failed
    assert "1 committee lost with all weights, the newest of them c1" in said
    assert ledger.rows("committees") == []
    assert ledger.rows("unfinished_releases") == [{"release": "r0001"}]


def lose(datasets: Datasets, prefix: str) -> None:
    for name in list(datasets.store.names(prefix)):
        datasets.store.delete(name)
