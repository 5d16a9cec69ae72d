"""Answers are carried on, judged by the control and asked again, on a real ledger."""

from typing import Any

import pytest
from review_work import cast, lease
from scored_clips import MEMBERS, WINDOW, keep_features, prepare, seat

from slac_tasks.mining.settings import Mining
from slac_tasks.model import panel_key, parse_clip_id, round_key
from slac_tasks.stages import aggregate, carry, mine, publish, sync, validate
from slac_tasks.storage.datasets import CARRIED, CONTROL
from slac_tasks.storage.ledger import Ledger
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
        companions=0.1,
    ),
    "review": Review(votes_wanted=1, audit_share=0.0),
}


def run(make_job: Any, *stages: Any, **fields: Any) -> None:
    for stage in stages:
        stage.run(make_job(stage.__name__.rpartition(".")[2], settings=KNOBS, **fields))


def answered(make_job: Any, ledger: Ledger, *, wrong: int = 0) -> None:
    """Mine a round of ten videos, the first five of which show the action, and let people answer it all."""
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
    for person in ("ann", "bob", "cid"):
        for place, clip in enumerate(lease(ledger, person)):
            shows = int(parse_clip_id(clip["clip_id"])[0], 16) < 5
            # Each has neighbours that are answered right.
            mistake = wrong > 0 and place % 5 == 2 and clip["clip_id"] not in control
            wrong -= mistake
            cast(ledger, person, clip["clip_id"], "yes" if shows ^ mistake else "no")
    run(make_job, sync, aggregate, validate)


def test_every_clip_near_an_answer_gets_a_label_of_its_kind(make_job: Any, ledger: Ledger) -> None:
    answered(make_job, ledger)
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
        assert min(abs(start - other) for other in near) <= 1.0
    assert kinds["carried"]


def test_the_control_is_judged_without_its_own_answers(make_job: Any, ledger: Ledger) -> None:
    answered(make_job, ledger)
    run(make_job, carry)
    rows = make_job("carry").datasets.read(CONTROL, labels="000001").to_pylist()
    by_kind = {kind: {row["clip_id"] for row in rows if row["kind"] == kind} for kind in ("people", "carried", "model")}
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id, strategy FROM queue WHERE strategy IN ('random', 'companion')")
        drawn = dict(cursor.fetchall())
    assert by_kind["people"] == set(drawn)
    assert by_kind["carried"] <= {clip for clip, strategy in drawn.items() if strategy == "companion"}
    assert by_kind["carried"]
    assert all(row["weight"] >= 1 and row["truth"] in (-1, 1) for row in rows)


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
