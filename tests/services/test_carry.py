"""Answers are carried on, judged by the control and asked again, on a real ledger."""

from dataclasses import replace
from typing import Any

import pytest
from review_work import cast, lease
from scored_clips import MADE, MEMBERS, WINDOW, keep_features, prepare, seat

from slac_tasks.commands import recheck
from slac_tasks.mining.settings import Mining
from slac_tasks.model import clip_id, panel_key, parse_clip_id, round_key
from slac_tasks.quality.settings import Quality
from slac_tasks.release.settings import Release
from slac_tasks.stages import aggregate, carry, mine, publish, release, sync, validate
from slac_tasks.storage.datasets import ACCOUNTS, CARRIED, CERTIFICATES, CONTROL, FETCHED, RELEASES, VIDEOS
from slac_tasks.storage.datasets.labelling import CertificateRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification import rulings
from slac_tasks.verification.settings import Review

ROUND = round_key(WINDOW, panel_key(MEMBERS))
KNOBS = {
    "mining": Mining(
        clips_per_round=60,
        minutes_per_round=100.0,
        clips_per_video=8,
        min_gap_sec=0.5,
        disagreement=0.6,
        consensus=0.2,
        coverage=0.0,
        unsure_coverage=0.0,
        companions=0.1,
    ),
    "review": Review(votes_wanted=1, audit_share=0.0),
}


def run(make_job: Any, *stages: Any, **fields: Any) -> None:
    for stage in stages:
        stage.run(make_job(stage.__name__.rpartition(".")[2], settings=KNOBS, **fields))


def answered(make_job: Any, ledger: Ledger, *, wrong: int = 0, settled: bool = False, but: str = "") -> None:
    """Mine a round of ten videos, the first five of which show the action, and let people answer it, but a strategy.

    So many answers are wrong; where they are `settled`, a lead says so.
    """
    datasets = make_job("mine").datasets
    prepare(ledger, datasets, "high_jump")
    seat(ledger, datasets, "high_jump")
    keep_features(datasets, "high_jump", "video")
    keep_features(datasets, "high_jump", "motion")
    keep_features(datasets, "high_jump", "frame")
    with ledger._connection.cursor() as cursor:
        for video in range(10):
            name = f"{video:016x}"
            cursor.execute(
                "INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes) "
                "VALUES (%s, %s, %s, 'training', '{}')", (name, name * 4, name)
            )  # fmt: skip
    run(make_job, mine, publish, categories=("high_jump",), round=ROUND)
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id FROM queue WHERE lead > 0")
        control = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT clip_id FROM queue WHERE strategy = %s", (but,))
        left = {row[0] for row in cursor.fetchall()}
    for person in ("ann", "bob", "cid"):
        for place, clip in enumerate(clip for clip in lease(ledger, person) if clip["clip_id"] not in left):
            shows = int(parse_clip_id(clip["clip_id"])[0], 16) < 5
            # Each has neighbours that are answered right.
            mistake = wrong > 0 and place % 5 == 2 and clip["clip_id"] not in control
            wrong -= mistake
            cast(ledger, person, clip["clip_id"], "yes" if shows ^ mistake else "no")
            if mistake and settled:
                by = {"person": "eve", "reason": "seen"}
                rulings.settle(ledger, "high_jump", clip["clip_id"], answer="yes" if shows else "no", **by)
    run(make_job, sync, aggregate, validate)


def test_every_clip_near_an_answer_gets_a_label_of_its_kind(make_job: Any, ledger: Ledger) -> None:
    answered(make_job, ledger, wrong=1, settled=True)
    run(make_job, carry)
    rows = make_job("carry").datasets.read(CARRIED, labels="000001").to_pylist()
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in ("people", "carried", "model")}
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT clip_id) FROM votes")
        assert cursor.fetchone() == (len(kinds["people"]),)
    for row in rows:
        assert row["label"] == (1 if int(row["video_id"], 16) < 5 else -1), row
        assert 0.5 < row["confidence"] < 1
    asked = {row["clip_id"] for row in kinds["people"]}
    for row in kinds["carried"]:
        video, start = parse_clip_id(row["clip_id"])
        near = [parse_clip_id(clip)[1] for clip in asked if parse_clip_id(clip)[0] == video]
        assert min(abs(start - other) for other in near) <= KNOBS["mining"].carry_sec
    assert kinds["carried"]


def test_where_no_random_clip_has_answers_enough_people_alone_label(
    make_job: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    answered(make_job, ledger, but="random")
    run(make_job, carry)
    rows = make_job("carry").datasets.read(CARRIED, labels="000001").to_pylist()
    assert {row["kind"] for row in rows} == {"people"}
    assert f"high_jump: no random clip of {WINDOW} has answers enough" in capsys.readouterr().err


def test_the_control_is_judged_without_its_own_answers(make_job: Any, ledger: Ledger) -> None:
    answered(make_job, ledger)
    run(make_job, carry)
    rows = make_job("carry").datasets.read(CONTROL, labels="000001").to_pylist()
    by_kind = {kind: {row["clip_id"] for row in rows if row["kind"] == kind} for kind in ("people", "carried", "model")}
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id, strategy FROM queue WHERE strategy IN ('random', 'companion')")
        drawn = dict(cursor.fetchall())
    assert by_kind["people"] == set(drawn)
    assert by_kind["carried"] <= set(drawn)
    assert "companion" in {drawn[clip] for clip in by_kind["carried"]}
    assert all(row["truth"] in (-1, 1) for row in rows)
    assert all(row["weight"] >= 1 for row in rows if row["kind"] != "people")
    assert {row["weight"] for row in rows if row["kind"] == "people"} == {0.0}, "no chosen clip is audited here"


def test_what_each_strategy_bought_stands_in_the_accounts(make_job: Any, ledger: Ledger) -> None:
    answered(make_job, ledger)
    run(make_job, carry)
    datasets = make_job("carry").datasets
    rows = {row.strategy: row for row in datasets.rows(ACCOUNTS, labels="000001")}
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "SELECT strategy, count(DISTINCT clip_id), sum(seconds) FROM queue JOIN votes USING (clip_id, category) "
            "GROUP BY strategy"
        )
        found = {strategy: (labels, seconds) for strategy, labels, seconds in cursor.fetchall()}
    assert {name: (row.labels, row.seconds) for name, row in rows.items()} == {
        name: (labels, pytest.approx(seconds)) for name, (labels, seconds) in found.items()
    }
    assert all(row.control == rows["random"].labels and row.category == "high_jump" for row in rows.values())
    assert all((row.worth is None) == (row.worth_error is None) for row in rows.values())
    assert rows["disagreement"].worth is not None


def test_a_contradicted_answer_is_asked_again_once_and_holds_up_nothing(make_job: Any, ledger: Ledger) -> None:
    answered(make_job, ledger, wrong=12)
    run(make_job, carry)
    run(make_job, carry)
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id, votes_wanted, state FROM queue WHERE again ORDER BY clip_id")
        again = cursor.fetchall()
    assert again
    assert {row[1:] for row in again} == {(2, "open")}
    assert ledger.rows("open_rounds") == []
    asked = {clip["clip_id"] for clip in lease(ledger, "bob")}
    assert asked == {row[0] for row in again}
    for clip in sorted(asked):
        cast(ledger, "bob", clip, "yes" if int(parse_clip_id(clip)[0], 16) < 5 else "no")
    run(make_job, sync, aggregate)
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM queue WHERE again AND state = 'open' AND votes_wanted = 2")
        (waiting,) = cursor.fetchone()
    assert waiting == 0


def test_without_labels_there_is_nothing_to_carry(
    make_job: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    run(make_job, carry)
    assert "no labels were judged yet" in capsys.readouterr().err


def certificate(kind: str, threshold: float | None) -> CertificateRow:
    return CertificateRow(
        category="high_jump", kind=kind, wanted=0.05, level=0.95, threshold=threshold, certified=1, bound=0.04,
        disagreement_bound=0.03, people_bound=0.01, control=100, errors=0, gold=100, gold_errors=0,
        answers_needed=None, gold_needed=None, rules=1, judged=True,
    )  # fmt: skip


def test_a_release_holds_the_kinds_that_are_wanted_as_far_as_they_are_certified(make_job: Any, ledger: Ledger) -> None:
    answered(make_job, ledger)
    run(make_job, carry)
    datasets = make_job("carry").datasets
    videos = [
        {"candidate_id": str(number), "source": "test", "source_id": str(number), "video_id": f"{number:016x}",
         "group_id": f"{number:016x}", "duration_sec": 60.0, "fps": 25.0, "proxy_128": "p128", "proxy_256": "p256",
         "proxy_sha256": "0", "shots": [], "split": "training"}
        for number in range(10)
    ]  # fmt: skip
    keys = {"category": "high_jump", "window": WINDOW}
    datasets.write(VIDEOS, [VIDEOS.from_records(videos)], keys=keys, **MADE)
    fetched = [
        {**video, "media_sha256": "0", "size_bytes": 1, "codec": "h264", "width": 64, "height": 48, "frame_hashes": [],
         "location": f"https://ann:secret@host/{video['source_id']}.mp4"}
        for video in videos
    ]  # fmt: skip
    datasets.write(FETCHED, [FETCHED.from_records(fetched)], keys=keys, **MADE)
    # In the next week people are at work on their round still.
    later = {"category": "high_jump", "window": "2026-01-12"}
    for dataset, of in ((VIDEOS, videos), (FETCHED, fetched)):
        one = {**of[0], "candidate_id": "10", "source_id": "10", "video_id": f"{10:016x}", "group_id": f"{10:016x}"}
        datasets.write(dataset, [dataset.from_records([one])], keys=later, **MADE)
    before = datasets.rows(CARRIED, labels="000001")
    (sample, *_) = [row for row in before if row.kind == "carried" and row.confidence >= 0.9]
    video, start = f"{10:016x}", 1.0
    unfinished = replace(sample, clip_id=clip_id(video, start), video_id=video, start_sec=start, end_sec=start + 2)
    datasets.write(CARRIED, [CARRIED.table([*before, unfinished])], keys={"labels": "000001"}, **MADE)
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO videos VALUES (%s, 'x', %s, 'training', '{}')", (video, video))
        cursor.execute(
            "INSERT INTO queue (clip_id, category, video_id, round, strategy, start_sec, end_sec, split, proxy_256,"
            " votes_wanted, votes_first, lead)"
            " VALUES (%s, 'high_jump', %s, %s, 'random', 5, 7, 'training', 'p', 1, 1, 0)",
            (clip_id(video, 5.0), video, round_key("2026-01-12", panel_key(MEMBERS))),
        )
    rows = [certificate("people", 0.0), certificate("carried", 0.9), certificate("model", None)]
    datasets.write(CERTIFICATES, [CERTIFICATES.table(rows)], keys={"labels": "000001"}, **MADE)
    every = {
        "quality": Quality(min_labels=1, min_precision=0.0),
        "release": Release(kinds=("people", "carried", "model")),
    }
    for version, settings in (("r0001", {"quality": Quality(min_labels=1, min_precision=0.0)}), ("r0002", every)):
        job = make_job("validate", settings={**KNOBS, **settings}, remake=True)
        validate.run(job)
        release.run(make_job("release", settings={**KNOBS, **settings}, release=version))
    plain, more = (datasets.read(RELEASES, release=version).to_pylist() for version in ("r0001", "r0002"))
    assert {row["kind"] for row in plain} == {"people"}
    assert all(row["support"] >= 1 and row["round"] == ROUND for row in plain)
    carried = datasets.read(CARRIED, labels="000001").to_pylist()
    sure = {row["clip_id"] for row in carried if row["kind"] == "carried" and row["confidence"] >= 0.9}
    assert sure
    assert unfinished.clip_id in sure
    assert {row["clip_id"] for row in more if row["kind"] == "carried"} == sure
    assert [row for row in more if row["kind"] == "people"] == plain
    assert {row["kind"] for row in more} == {"people", "carried"}
    others = [row for row in more if row["kind"] == "carried"]
    assert all(row["strategy"] is None and row["round"] is None for row in others)
    assert {row["certificate"] for row in more} == {0.04}
    assert {row["url"] for row in more} <= {f"https://host/{number}.mp4" for number in range(11)}
    assert len(recheck.videos(datasets, "r0002")) == len({row["video_id"] for row in more})
