"""Labels of an existing dataset, from `slac import` to a release without their errors, on a real ledger."""

from pathlib import Path
from typing import Any

import pytest
from review_work import cast, lease
from scored_clips import MADE, MEMBERS, WINDOW, keep_features, prepare, seat

from slac_tasks import cli
from slac_tasks.mining.settings import Mining
from slac_tasks.model import clip_id, panel_key, parse_clip_id, round_key
from slac_tasks.quality.settings import Quality
from slac_tasks.release.finished import need_release
from slac_tasks.release.settings import Release
from slac_tasks.stages import aggregate, carry, certify, mine, publish, release, sync, validate
from slac_tasks.storage.datasets import (
    CARRIED,
    CERTIFICATES,
    CONTROL,
    CORRECTIONS,
    FETCHED,
    HARD_CLIPS,
    IMPORTED,
    MEASURES,
    RELEASES,
    VIDEOS,
)
from slac_tasks.storage.datasets.labelling import CertificateRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review

CATEGORY = "high_jump"
ROUND = round_key(WINDOW, panel_key(MEMBERS))
KNOBS = {
    "mining": Mining(
        clips_per_round=60, minutes_per_round=100.0, clips_per_video=8, min_gap_sec=0.5, disagreement=0.2,
        consensus=0.2, coverage=0.0, unsure_coverage=0.0, companions=0.0,
    ),
    "review": Review(votes_wanted=1, audit_share=0.0),
    "quality": Quality(min_labels=1, min_precision=0.0),
    "release": Release(kinds=("people", "imported")),
}  # fmt: skip
WRONG = {(0, 1.5), (1, 4.0), (2, 8.0), (4, 2.0), (6, 3.0), (7, 7.0), (8, 1.0), (9, 9.0)}
"""(video, start) of the labels that are wrong: the first five videos show the action, the others do not."""


def run(make_job: Any, *stages: Any, **fields: Any) -> None:
    for stage in stages:
        stage.run(make_job(stage.__name__.rpartition(".")[2], settings=KNOBS, **fields))


def shows(clip: str) -> bool:
    return int(parse_clip_id(clip)[0], 16) < 5


def imported(place: Path, datasets: Datasets) -> None:
    """Import a dataset that labels every clip, and admit its videos."""
    lines = ["classname,youtube_id,subset,start,end,label"]
    for video in range(10):
        for start in (step * 0.5 for step in range(20)):
            label = 1 if (video < 5) != ((video, start) in WRONG) else -1
            lines.append(f"High jump,a2X2hz1G6i{video},training,{start},{start + 2},{label}")
    (place / "hacs.csv").write_text("\n".join(lines))
    words = ["import", str(place / "hacs.csv"), "--as", "hacs", "--manifest", str(place / "hacs.jsonl")]
    assert cli.main(words) == 0
    names = {row.source_id: row for row in datasets.rows(IMPORTED, origin="hacs")}
    videos = [
        {"candidate_id": names[f"a2X2hz1G6i{number}"].candidate_id, "source": "s", "source_id": f"a2X2hz1G6i{number}",
         "video_id": f"{number:016x}", "group_id": f"{number:016x}", "duration_sec": 60.0, "fps": 25.0,
         "proxy_128": "p128", "proxy_256": "p256", "proxy_sha256": "0", "shots": [], "split": "training"}
        for number in range(10)
    ]  # fmt: skip
    keys = {"category": CATEGORY, "window": WINDOW}
    datasets.write(VIDEOS, [VIDEOS.from_records(videos)], keys=keys, **MADE)
    fetched = [
        {**video, "media_sha256": "0", "size_bytes": 1, "codec": "h264", "width": 64, "height": 48,
         "frame_hashes": []} for video in videos
    ]  # fmt: skip
    datasets.write(FETCHED, [FETCHED.from_records(fetched)], keys=keys, **MADE)


def answered(make_job: Any, ledger: Ledger) -> None:
    """Let people answer a round, rightly, and carry their answers on."""
    with ledger._connection.cursor() as cursor:
        for video in (f"{number:016x}" for number in range(10)):
            cursor.execute(
                "INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes) "
                "VALUES (%s, %s, %s, 'training', '{}')", (video, video * 4, video)
            )  # fmt: skip
    run(make_job, mine, publish, categories=(CATEGORY,), round=ROUND)
    for person in ("ann", "bob", "cid"):
        for clip in lease(ledger, person):
            cast(ledger, person, clip["clip_id"], "yes" if shows(clip["clip_id"]) else "no")
    run(make_job, sync, aggregate, validate, carry)


@pytest.fixture
def datasets(
    make_job: Any, ledger: Ledger, tmp_path: Path, store: FolderStore, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> Datasets:
    """A platform with an imported dataset that a committee has scored."""
    for name, value in {"SLAC_STORE": store.url, "SLAC_DATABASE_URL": ledger_url, "SLAC_CONFIG": ""}.items():
        monkeypatch.setenv(name, value)
    found = make_job("mine").datasets
    prepare(ledger, found, CATEGORY)
    seat(ledger, found, CATEGORY)
    for member in MEMBERS:
        keep_features(found, CATEGORY, member)
    imported(tmp_path, found)
    return found


def certificate(kind: str) -> CertificateRow:
    return CertificateRow(
        category=CATEGORY, kind=kind, wanted=0.05, level=0.95, threshold=0.0, certified=1, bound=0.04,
        disagreement_bound=0.03, people_bound=0.01, control=100, errors=0, gold=100, gold_errors=0,
        answers_needed=None, gold_needed=None, rules=1, judged=True,
    )  # fmt: skip


def test_imported_labels_are_scored_asked_and_released_without_their_errors(
    make_job: Any, ledger: Ledger, datasets: Datasets
) -> None:
    answered(make_job, ledger)
    wrong = {clip_id(f"{video:016x}", start) for video, start in WRONG}
    asked = {row.clip_id: row.strategy for row in datasets.rows(HARD_CLIPS, category=CATEGORY, round=ROUND)}
    assert {clip for clip, why in asked.items() if why == "contradiction"} == {
        clip for clip in wrong if asked.get(clip) != "random"
    }
    carried = {row.clip_id: row for row in datasets.rows(CARRIED, labels="000001")}
    for clip, row in carried.items():
        assert row.kind == ("people" if clip in asked else "imported")
        assert row.label == (1 if shows(clip) else -1)
    assert len(carried) == 200

    control = [row for row in datasets.rows(CONTROL, labels="000001") if row.kind == "imported"]
    drawn = {clip for clip, why in asked.items() if why == "random"}
    assert {row.clip_id for row in control} == drawn - wrong
    (row,) = datasets.rows(CORRECTIONS, labels="000001")
    assert (row.labels, row.asked, row.wrong, row.doubted) == (200, len(asked), len(wrong), 0)
    assert (row.rest, row.control, row.error, row.error_low) == (200 - len(asked), len(control), 0.0, 0.0)
    assert row.error_high is not None
    assert 0 < row.error_high < 1

    run(make_job, certify, validate, remake=True)
    assert "imported" in {row.kind for row in datasets.rows(CERTIFICATES, labels="000001")}
    measured = {row.kind: row for row in datasets.rows(MEASURES, labels="000001", category=CATEGORY)}
    assert (measured["imported"].value, measured["imported"].state) == (1.0, "shown")

    # So few clips certify nothing: the certificates of a larger campaign stand in for them.
    rows = [certificate("people"), certificate("imported")]
    datasets.write(CERTIFICATES, [CERTIFICATES.table(rows)], keys={"labels": "000001"}, **MADE)
    run(make_job, release, release="r0001")
    released = {row.clip_id: row for row in datasets.rows(RELEASES, release="r0001")}
    assert released.keys() == carried.keys()
    assert all(row.label == (1 if shows(clip) else -1) for clip, row in released.items())
    assert {clip for clip, row in released.items() if row.kind == "imported"} == carried.keys() - asked.keys()
    _, manifest = need_release(datasets, "r0001")
    page = datasets.store.get(f"{manifest.folder}/README.md").decode()
    assert f"| {CATEGORY} | 200 | {len(asked)} | {len(wrong)} | 0 | {row.rest} | 0.0% (0.0% to " in page


def test_an_imported_label_is_released_only_where_the_settings_want_its_kind(
    make_job: Any, ledger: Ledger, datasets: Datasets
) -> None:
    answered(make_job, ledger)
    rows = [certificate("people"), certificate("imported")]
    datasets.write(CERTIFICATES, [CERTIFICATES.table(rows)], keys={"labels": "000001"}, **MADE)
    release.run(make_job("release", settings={**KNOBS, "release": Release()}, release="r0001"))
    assert {row.kind for row in datasets.rows(RELEASES, release="r0001")} == {"people"}


def test_a_vote_overrules_an_imported_label_that_was_carried(make_job: Any, ledger: Ledger, datasets: Datasets) -> None:
    answered(make_job, ledger)
    rows = [certificate("people"), certificate("imported")]
    datasets.write(CERTIFICATES, [CERTIFICATES.table(rows)], keys={"labels": "000001"}, **MADE)
    before = next(row for row in datasets.rows(CARRIED, labels="000001") if row.kind == "imported")
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, "
            "proxy_256, "
            "votes_wanted, votes_first) SELECT %s, category, %s, round, 'disagreement', %s, %s, split, proxy_256, 1, 1 "
            "FROM queue LIMIT 1", (before.clip_id, before.video_id, before.start_sec, before.end_sec)
        )  # fmt: skip
    (clip,) = lease(ledger, "ann")
    assert clip["clip_id"] == before.clip_id
    cast(ledger, "ann", before.clip_id, "no" if before.label > 0 else "yes")
    run(make_job, sync, aggregate, validate)
    run(make_job, release, release="r0001")
    after = next(row for row in datasets.rows(RELEASES, release="r0001") if row.clip_id == before.clip_id)
    assert (after.kind, after.label) == ("people", -before.label)
