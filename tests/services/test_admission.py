"""Deduplicate over a real ledger: within a window, across categories and windows, across splits, and twice."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slac_tasks.admission.likeness import archive as likeness_archive
from slac_tasks.admission.likeness.fingerprints import NUMBERS, Table
from slac_tasks.admission.told_apart import Undone, lookalike_pairs, tell_apart, tell_same, undone
from slac_tasks.admission.withdrawals import all_withdrawals, write_withdrawal
from slac_tasks.config import Config
from slac_tasks.job import Job
from slac_tasks.model import split_of
from slac_tasks.reconcile import repair
from slac_tasks.stages import deduplicate
from slac_tasks.storage.datasets import CANDIDATES, FETCHED, VIDEOS
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.settings import Review

WEEKS = ("2026-01-05", "2026-01-12", "2026-01-19")


def film(seed: int) -> Table:
    return np.random.default_rng(seed).integers(1, 2**63, (60, NUMBERS), dtype=np.uint64)


def named(split: str, start: int = 0) -> str:
    """Return a video_id that falls into a split when it comes first."""
    numbers = (f"{number:016x}" for number in range(start * 1000, start * 1000 + 1000))
    return next(name for name in numbers if split_of(name, validation_share=0.1, testing_share=0.2) == split)


class Archive:
    """A store and a ledger into which videos are put as `fetch` would."""

    def __init__(self, store: Path, ledger_url: str) -> None:
        self.config, self.environ = Config(store_url=str(store)), {"SLAC_DATABASE_URL": ledger_url}
        self.ledger = Ledger(ledger_url)

    def job(self, window: str, **more: Any) -> Job:
        return Job(stage="deduplicate", config=self.config, environ=self.environ, given={"window": window}, **more)

    def fetched(self, window: str, category: str, videos: Mapping[str, Table]) -> None:
        self.ledger.run("register_category", category=category, name=category, guideline=None)
        rows = [
            {
                "candidate_id": f"{category}-{video_id}", "source": "s", "source_id": video_id, "title": None,
                "licence": None, "published_at": datetime(2026, 1, 5, number, tzinfo=UTC), "video_id": video_id,
                "media_sha256": video_id * 4, "size_bytes": 1, "codec": "h264", "width": 64, "height": 64,
                "duration_sec": 30.0, "fps": 24.0, "proxy_256": "p", "proxy_128": "p", "proxy_sha256": "0",
                "shots": [], "frame_hashes": [int(value) for value in table.ravel()],
            }
            for number, (video_id, table) in enumerate(videos.items())
        ]  # fmt: skip
        job, keys = self.job(window), {"category": category, "window": window}
        candidates = [
            {**{name: row.get(name) for name in CANDIDATES.schema.names}, "location": row["source_id"]} for row in rows
        ]
        for dataset, records in ((CANDIDATES, candidates), (FETCHED, rows)):
            table = dataset.from_records(records)
            job.datasets.write(dataset, [table], keys=keys, stage="test", settings={}, made_from={})

    def admit(self, window: str, **more: Any) -> dict[str, dict[str, tuple[str, ...]]]:
        """Run the stage; return (group, split) of each video or the reason why it is not one, by category."""
        job = self.job(window, **more)
        deduplicate.run(job)
        job.ledger.close()
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for keys in job.datasets.partitions(VIDEOS, window=window):
            of = found[keys["category"]] = {}
            for video in job.datasets.read(VIDEOS, **keys).to_pylist():
                of[video["video_id"]] = video["group_id"], video["split"]
            for drop in job.datasets.need(VIDEOS, **keys).drops:
                of[drop.item.partition("-")[2]] = (drop.reason,)
        return found


@pytest.fixture
def archive(tmp_path: Path, ledger_url: str) -> Iterator[Archive]:
    found = Archive(tmp_path, ledger_url)
    yield found
    found.ledger.close()


def test_copies_are_found_within_a_window_across_categories_and_across_windows(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    # There are more videos than one look at the ledger takes.
    monkeypatch.setattr(likeness_archive, "_PAGE", 1)
    monkeypatch.setattr(likeness_archive, "_BATCH", 2)
    other, first, copy, late, later = (f"{number:016x}" for number in range(5))
    archive.fetched(WEEKS[0], "arm_wave", {other: film(2), first: film(1), copy: film(1)[10:40]})
    archive.fetched(WEEKS[0], "jump", {copy: film(1)[10:40]})
    found = archive.admit(WEEKS[0])
    group, split = found["arm_wave"][first]
    assert group == copy, "the one that was published first, in whichever category"
    assert found["arm_wave"][copy] == ("near-duplicate",)
    assert found["arm_wave"][other][0] == other
    assert found["jump"][copy] == (group, split)
    archive.fetched(WEEKS[1], "arm_wave", {later: film(3), late: film(1)[5:50]})
    archive.fetched(WEEKS[1], "run", {later: film(3), late: film(1)[5:50]})
    found = archive.admit(WEEKS[1])
    assert found["arm_wave"][late] == ("near-duplicate",)
    assert found["run"][late] == (group, split)
    assert archive.admit(WEEKS[1], remake=True) == found


def test_who_ties_training_to_testing_is_tested_and_the_training_group_leaves(archive: Archive) -> None:
    trained, tested, tie, later = named("training"), named("testing"), named("training", 1), named("training", 2)
    archive.fetched(WEEKS[0], "arm_wave", {trained: film(1), tested: film(2)})
    found = archive.admit(WEEKS[0])["arm_wave"]
    assert (found[trained], found[tested]) == ((trained, "training"), (tested, "testing"))
    both = np.concatenate([film(1)[:40], film(2)[:40]])
    archive.fetched(WEEKS[1], "jump", {tie: both})
    assert archive.admit(WEEKS[1])["jump"] == {tie: (tested, "testing")}
    assert {row["video_id"]: row["reason"] for row in archive.ledger.rows("tombstones")} == {trained: "leak"}
    assert [withdrawal.named for withdrawal in all_withdrawals(archive.job(WEEKS[1]).store)] == [trained]
    archive.fetched(WEEKS[2], "arm_wave", {trained: film(1), later: film(1)[3:50]})
    assert archive.admit(WEEKS[2])["arm_wave"] == {trained: ("leak",), later: (tested, "testing")}
    assert archive.admit(WEEKS[1], remake=True)["jump"] == {tie: (tested, "testing")}


def test_videos_of_one_window_that_are_tied_are_tested_together(archive: Archive) -> None:
    trained, tested, tie = named("training"), named("testing"), named("training", 1)
    both = np.concatenate([film(1)[:40], film(2)[:40]])
    archive.fetched(WEEKS[0], "arm_wave", {trained: film(1), tested: film(2)})
    archive.fetched(WEEKS[0], "jump", {"f" * 16: film(9), "e" * 16: film(8), tie: both})
    found = archive.admit(WEEKS[0])
    assert found["arm_wave"] == {trained: (tested, "testing"), tested: (tested, "testing")}
    assert found["jump"][tie] == (tested, "testing")
    assert archive.ledger.rows("tombstones") == []
    assert archive.admit(WEEKS[0], remake=True) == found


def test_a_video_without_a_fingerprint_gets_it_when_it_is_fetched_again(archive: Archive) -> None:
    first, copy = f"{1:016x}", f"{2:016x}"
    archive.fetched(WEEKS[0], "arm_wave", {first: film(1)[:0]})
    archive.admit(WEEKS[0])
    assert archive.ledger.rows("fingerprints", videos=[first])[0]["frame_hashes"] == []
    archive.fetched(WEEKS[0], "arm_wave", {first: film(1)})
    archive.admit(WEEKS[0], remake=True)
    archive.fetched(WEEKS[1], "arm_wave", {copy: film(1)[10:]})
    assert archive.admit(WEEKS[1])["arm_wave"] == {copy: ("near-duplicate",)}


def pair_of(archive: Archive) -> list[tuple[str, str, str]]:
    return [(pair.window, pair.video_id, pair.other_id) for pair in lookalike_pairs(archive.ledger)]


def test_a_pair_that_a_person_told_apart_is_admitted_and_stands_alone(archive: Archive) -> None:
    first, copy, third = (f"{number:016x}" for number in range(3))
    archive.fetched(WEEKS[0], "arm_wave", {first: film(1)})
    archive.admit(WEEKS[0])
    archive.fetched(WEEKS[1], "arm_wave", {copy: film(1)[5:50], third: film(3)})
    assert archive.admit(WEEKS[1])["arm_wave"][copy] == ("near-duplicate",)
    (pair,) = lookalike_pairs(archive.ledger, category="arm_wave", window=WEEKS[1], most=9)
    assert (pair.video_id, pair.other_id, pair.other_window) == (copy, first, WEEKS[0])
    assert (pair.source_id, pair.other_source_id) == (copy, first)
    assert (pair.proxy_256, pair.other_proxy_256) == ("p", "p")
    assert "half seconds agree" in pair.evidence
    assert not tell_apart(archive.ledger, first, third, person="mara", reason="no such pair")
    assert tell_apart(archive.ledger, first, copy, person="mara", reason="another run-up")
    assert undone(archive.ledger) == [Undone(category="arm_wave", window=WEEKS[1])]
    assert archive.admit(WEEKS[1])["arm_wave"][copy] == ("near-duplicate",)
    found = archive.admit(WEEKS[1], follow=True)["arm_wave"]
    assert found[copy][0] == copy
    assert pair_of(archive) == undone(archive.ledger) == []
    generation = archive.job(WEEKS[1]).datasets.need(VIDEOS, category="arm_wave", window=WEEKS[1]).generation
    assert archive.admit(WEEKS[1], follow=True)["arm_wave"] == found
    assert archive.job(WEEKS[1]).datasets.need(VIDEOS, category="arm_wave", window=WEEKS[1]).generation == generation
    assert not tell_same(archive.ledger, copy, first)


def test_a_word_is_taken_back_until_it_has_been_followed(archive: Archive) -> None:
    first, copy = (f"{number:016x}" for number in range(2))
    archive.fetched(WEEKS[0], "arm_wave", {first: film(1), copy: film(1)[5:50]})
    found = archive.admit(WEEKS[0])
    assert tell_apart(archive.ledger, copy, first, person="mara", reason="a mistake")
    assert tell_same(archive.ledger, copy, first)
    assert not tell_same(archive.ledger, copy, first)
    assert undone(archive.ledger) == []
    assert archive.admit(WEEKS[0], follow=True) == found


def test_a_stage_that_dies_before_its_manifest_is_written_is_planned_again(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, copy = (f"{number:016x}" for number in range(2))
    archive.fetched(WEEKS[0], "arm_wave", {first: film(1), copy: film(1)[5:50]})
    archive.admit(WEEKS[0])
    tell_apart(archive.ledger, copy, first, person="mara", reason="two people")
    with monkeypatch.context() as patch:
        patch.setattr(Job, "_write", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            archive.admit(WEEKS[0], follow=True)
    assert undone(archive.ledger) == [Undone(category="arm_wave", window=WEEKS[0])]
    assert archive.admit(WEEKS[0], follow=True)["arm_wave"][copy][0] == copy
    assert undone(archive.ledger) == []


def test_a_pair_with_a_withdrawn_video_is_not_shown_and_cannot_be_told_apart(archive: Archive) -> None:
    first, copy = (f"{number:016x}" for number in range(2))
    archive.fetched(WEEKS[0], "arm_wave", {first: film(1), copy: film(1)[5:50]})
    archive.admit(WEEKS[0])
    archive.ledger.run("add_tombstone", video_id=first, reason="uploader asked")
    assert pair_of(archive) == []
    assert not tell_apart(archive.ledger, copy, first, person="mara", reason="unseen")


def test_a_restored_ledger_knows_the_pairs(archive: Archive) -> None:
    first, copy = (f"{number:016x}" for number in range(2))
    archive.fetched(WEEKS[0], "arm_wave", {first: film(1), copy: film(1)[5:50]})
    archive.admit(WEEKS[0])
    before = [replace(pair, since=None) for pair in lookalike_pairs(archive.ledger)]
    assert len(before) == 1
    # It was fetched again since, without the copy: the window was admitted from what was there before.
    archive.fetched(WEEKS[0], "arm_wave", {first: film(1)})
    with archive.ledger._connection.cursor() as cursor:
        cursor.execute("TRUNCATE duplicates; UPDATE videos SET proxy_256 = NULL")
    for _ in range(2):
        list(repair(archive.job(WEEKS[0]).datasets, archive.ledger, Review()))
        assert [replace(pair, since=None) for pair in lookalike_pairs(archive.ledger)] == before


@pytest.mark.parametrize("deletes", [True, False])
def test_a_video_that_was_taken_down_by_name_while_it_was_fetched_is_withdrawn(archive: Archive, deletes: bool) -> None:
    """The takedown found no video of that name: neither an admitted nor a fetched one."""
    taken, other = named("training"), named("training", 1)
    store = archive.job(WEEKS[0]).store
    write_withdrawal(store, taken * 4, "uploader asked", deletes=deletes)
    store.put(f"media/{taken}/x-256.mp4", b"put by a fetch that ended after the look")
    archive.fetched(WEEKS[0], "jump", {taken: film(1), other: film(2)})
    found = archive.admit(WEEKS[0])["jump"]
    assert (found[taken], found[other][1]) == (("taken down",), "training")
    assert {row["video_id"]: row["reason"] for row in archive.ledger.rows("tombstones")} == {taken: "uploader asked"}
    assert {one.named for one in all_withdrawals(store)} == {taken, taken * 4}
    assert list(store.names(f"media/{taken}/")) == ([] if deletes else [f"media/{taken}/x-256.mp4"])
