"""What plans and stages say of datasets after garbage was collected: what they said before."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from collected_garbage import WEEK, Beside, collect, grow_old
from learning_world import LearningWorld, draw
from platform_records import KEYS, Platform, write
from released import finish, released

from slac_tasks import cli
from slac_tasks.commands import doctor, export, gc
from slac_tasks.errors import Temporary
from slac_tasks.release.exports import EXPORTS
from slac_tasks.stages import propose
from slac_tasks.storage.datasets import CLIPS, LABELS, MODELS, RELEASED_SEGMENTS, RELEASES, SCORES, VIDEOS
from slac_tasks.storage.datasets.collecting import ClipRow, Span, VideoRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.objects import put_by_content
from slac_tasks.storage.records import Record, leave_note, record
from slac_tasks.storage.tables import Datasets

PARTITION = {name: KEYS[name] for name in ("category", "window")}


def between(datasets: Datasets, ledger: Ledger, happens: Callable[[], object]) -> Beside:
    """Return the store as one sees it for whom something happens once rows are read, and garbage goes all the time.

    All that is in it now is old.
    """
    grow_old(datasets.store, "")
    once, week_ago = iter([happens]), datetime.now(UTC) - WEEK

    def met(name: str) -> None:
        if name.endswith(".parquet"):
            next(once, lambda: None)()
        collect(datasets, ledger, week_ago)

    return Beside(Path(datasets.store.url), met)


@pytest.mark.parametrize("is_same", [True, False])
def test_what_was_made_from_an_input_that_was_made_again_with_the_same_rows_stays_up_to_date(
    make_job: Any, store: FolderStore, ledger: Ledger, is_same: bool
) -> None:
    """A week after a retry that had brought nothing, every window had been scored again."""

    def clips(*starts: int) -> Manifest:
        rows = [
            ClipRow(clip_id=f"v:{start}", video_id="v", start_sec=start / 1000, end_sec=start / 1000 + 2,
                    split="training", proxy_128="p", proxy_256="p", shot=0)
            for start in starts
        ]  # fmt: skip
        return write(store, dataset=CLIPS, keys=PARTITION, rows=rows)

    first = clips(0)
    scores = write(store, made_from={first.address: first.mark})
    made = [first, scores, clips(0, 500), newest := clips(0) if is_same else clips(500)]
    record(ledger, map(Record.of, made))

    def is_current() -> set[bool]:
        planner = Platform(store=store, ledger=ledger).planner()
        job = make_job("score", follow=True)
        return {not planner.outdated(SCORES), job.is_finished(SCORES, KEYS, [newest])}

    assert is_current() == {is_same}
    gone = (2,) if is_same else (1, 2)
    assert collect(Datasets(store), ledger) == [
        f"superseded generation: {first.address} g{generation:04d}" for generation in gone
    ]
    assert is_current() == {is_same}
    # Once nothing current names it, it goes.
    record(ledger, [Record.of(write(store, made_from={newest.address: newest.mark}))])
    collect(Datasets(store), ledger)
    collect(Datasets(store), ledger)
    assert list(store.names(f"{first.address}/g0001")) == []


def test_what_releases_and_models_of_the_version_before_name_stays(store: FolderStore, ledger: Ledger) -> None:
    """A week after an upgrade `slac gc` had deleted the networks of all earlier releases, and their labels."""
    assert RELEASES.upgrade
    assert MODELS.upgrade
    older_release, older_model = RELEASES.upgrade.previous, MODELS.upgrade.previous
    backbone, head = (put_by_content(store, "weights", ".pt", name) for name in (b"backbone", b"head"))
    model = older_model.row(
        architecture="x", backbone=backbone, head=head, categories=("judo",), steps=1, clips=1, loss=0.0
    )
    write(store, dataset=older_model, keys={"release": "r0001"}, rows=[model])
    labels = [write(store, dataset=LABELS, keys={"labels": f"{number:06d}"}) for number in (1, 2)]
    videos = [write(store, dataset=VIDEOS, keys=PARTITION) for _ in range(2)]
    made_from = {one.address: one.mark for one in (labels[0], videos[0])}
    for _ in range(2):
        write(store, dataset=older_release, keys={"release": "r0001"}, made_from=made_from)
    assert collect(Datasets(store), ledger) == []


def test_what_a_stage_has_left_a_note_of_counts_though_no_plan_has_read_it(store: FolderStore, ledger: Ledger) -> None:
    """Windows that were scored by hand had seemed outdated to the next plan, and were scored again."""
    first, again = (write(store, dataset=CLIPS, keys=PARTITION) for _ in range(2))
    record(ledger, map(Record.of, (first, again)))
    made_from = {first.address: first.mark}
    for scores in (write(store, made_from=made_from) for _ in range(2)):
        leave_note(store, scores)
    assert collect(Datasets(store), ledger) == [f"superseded generation: {scores.address} g0001"]
    planner = Platform(store=store, ledger=ledger).planner()
    assert not planner.outdated(SCORES)
    known = {(row["address"], row["generation"]) for row in ledger.rows("recorded_datasets")}
    assert known == {(one.address, one.generation) for one in (first, again, scores)}


def test_clips_are_cut_though_garbage_goes_at_every_moment_and_their_videos_were_admitted_again(
    tmp_path: Path, ledger: Ledger
) -> None:
    made = LearningWorld(tmp_path)
    draw(tmp_path / "drawn.mp4", colour=(200, 40, 40), speed=1, seconds=3)
    made.store.put_file("128.mp4", tmp_path / "drawn.mp4")

    def admit() -> Manifest:
        rows = [
            VideoRow(
                source="s", source_id=name, candidate_id=name, duration_sec=3.0, fps=24.0, proxy_256="256.mp4",
                proxy_128="128.mp4", proxy_sha256="0", shots=(Span(start_sec=0.0, end_sec=3.0),), video_id=name,
                group_id=name, split="training",
            )
            for name in "ab"
        ]  # fmt: skip
        return write(made.store, dataset=VIDEOS, keys=PARTITION, rows=rows)

    old = admit()
    beside = between(made.datasets, ledger, admit)
    job = made.job("propose", window=PARTITION["window"], categories=(PARTITION["category"],))
    vars(job)["store"] = beside
    propose.run(job)
    assert beside.times >= 9
    cut = made.datasets.need(CLIPS, **PARTITION)
    assert cut.made_from == {old.address: old.mark}
    assert {row.video_id for row in made.datasets.rows_of(CLIPS, cut)} == {"a", "b"}


def test_a_release_is_exported_though_garbage_goes_at_every_moment_and_it_is_made_again(
    store: FolderStore, ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    datasets, keys = Datasets(store), {"release": "r0001"}
    rows = [released(video * 16) for video in "ab"]

    def make() -> str:
        write(store, dataset=RELEASED_SEGMENTS, keys=keys)
        made = finish(datasets, "r0001", rows, made_from={"labels/v1/labels=000001": "g0001:0"})
        return made.folder

    for row in rows:
        store.put(row.proxy_256, b"bytes")
    for each in (EXPORTS["segments"], EXPORTS["webdataset"]):
        folder, beside = make(), between(datasets, ledger, make)
        monkeypatch.setattr(export, "open_store", lambda url, beside=beside: beside)
        assert cli.main(["export", "--release", "r0001", "--as", each.name]) == 0
        assert list(store.names(f"{folder}/exports/{each.file}"))
        assert datasets.need(RELEASES, **keys).generation


def test_garbage_waits_at_every_moment_of_a_repair(
    store: FolderStore, ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        write(store, dataset=VIDEOS, keys=PARTITION)
    refused = []

    def collected(name: str) -> None:
        with pytest.raises(Temporary, match="another process"):
            gc.main(argparse.Namespace(days=0.0, dry_run=False, json=False))
        refused.append(name)

    beside = Beside(store.root, collected)
    monkeypatch.setattr(doctor, "CHECKS", {})
    monkeypatch.setattr(doctor, "open_store", lambda url: beside)
    assert cli.main(["doctor", "--reconcile"]) == 0
    assert len(refused) == beside.times > 3
    assert len(ledger.rows("recorded_datasets")) == 2
