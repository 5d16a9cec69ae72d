"""Certificates of labels that were carried: what people get wrong comes from their votes on gold, in the ledger."""

import uuid
from argparse import Namespace
from typing import Any

import pytest
from review_work import WINDOW, cast, lease, publish_and_answer

from slac_tasks.commands import show
from slac_tasks.commands.funnel import details
from slac_tasks.model import clip_id
from slac_tasks.quality.settings import Quality
from slac_tasks.reconcile import repair
from slac_tasks.reports.funnel import Facts
from slac_tasks.reports.kinds import Kind
from slac_tasks.stages import certify, sync
from slac_tasks.storage.datasets import CARRIED, CERTIFICATES, CONTROL, GOLD_JUDGES
from slac_tasks.storage.datasets import CLIPS as STORED_CLIPS
from slac_tasks.storage.datasets.labelling import CarriedRow, CertificateRow, ControlRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review
from slac_tasks.web.listing import PAGES
from slac_tasks.web.pages import render

CLIPS, VERSION = 60, "000001"
LAX = {"quality": Quality(max_error=0.4)}


def answer_gold(make_job: Any, ledger: Ledger) -> None:
    """Three people answer what an expert knows, wrongly about every tenth clip; a fourth contradicts them all."""
    clips = publish_and_answer(make_job, ledger, {}, clips=CLIPS)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET votes_wanted = 4")
    for person in ("ann", "bob", "cid", "dan"):
        lease(ledger, person, most=CLIPS)
        for index, clip in enumerate(clips):
            assert cast(ledger, person, clip, "no" if index % 10 == 0 or person == "dan" else "yes")
    for index, clip in enumerate(clips):
        purpose = "example" if index == 1 else "gold"
        ledger.run("add_known_answer", clip_id=clip, category="high_jump", answer="yes", purpose=purpose, person="eve")
    sync.run(make_job("sync"))


def write(datasets: Datasets, clips: int, confidence: float = 0.97, version: str = VERSION) -> None:
    """Write labels of the model, with a control of which one in fifty differs from three people."""
    control = [
        ControlRow(clip_id=f"c{index}:0", category="high_jump", kind="model", label=1, confidence=confidence,
                   truth=-1 if index % 50 == 0 else 1, weight=1.0)
        for index in range(clips)
    ]  # fmt: skip
    carried = [
        CarriedRow(clip_id=f"w{index}:0", video_id=f"w{index}", start_sec=0.0, end_sec=2.0, split="training",
                   category="high_jump", kind="model", label=1, confidence=confidence, support=9)
        for index in range(7)
    ]  # fmt: skip
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}, "keys": {"labels": version}}
    datasets.write(CONTROL, [CONTROL.table(control)], **made)
    datasets.write(CARRIED, [CARRIED.table(carried)], **made)


def rows(datasets: Datasets, version: str = VERSION) -> dict[str | None, CertificateRow]:
    manifest = datasets.need(CERTIFICATES, labels=version)
    return {row.category: row for row in datasets.rows_of(CERTIFICATES, manifest)}


def test_labels_are_certified_by_control_and_gold(
    make_job: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_gold(make_job, ledger)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE votes SET set_id = gen_random_uuid() WHERE clip_id = %s", (clip_id(f"{11:016x}", 1.5),))
    job = make_job("certify", settings=LAX)
    write(job.datasets, clips=200)
    certify.run(job)
    found = rows(job.datasets)
    assert set(found) == {None, "high_jump"}
    row = found["high_jump"]
    # Examples and what was answered in sets are no gold, and the fourth answer is not counted.
    assert (row.gold, row.gold_errors) == (CLIPS - 2, 6)
    assert (row.threshold, row.certified, row.control, row.errors) == (0.0, 7, 200, 4)
    assert row.bound is not None
    assert row.bound <= row.wanted == 0.4
    assert "certify: model: 7 labels, 0.5 a minute; at most" in capsys.readouterr().err
    certify.run(make_job("certify", settings=LAX))
    assert "finished already" in capsys.readouterr().err
    assert job.datasets.need(CERTIFICATES, labels=VERSION).generation == 1


def cut(datasets: Datasets, clips: list[str]) -> None:
    """Write the clips of the round's window."""
    rows = [
        {"clip_id": clip, "video_id": clip.partition(":")[0], "start_sec": 1.5, "end_sec": 3.5, "split": "training",
         "proxy_128": f"media/{clip}/128.mp4", "proxy_256": f"media/{clip}/256.mp4", "shot": 0}
        for clip in clips
    ]  # fmt: skip
    keys = {"category": "high_jump", "window": WINDOW}
    datasets.write(STORED_CLIPS, [STORED_CLIPS.from_records(rows)], keys=keys, stage="test", settings={}, made_from={})


def test_gold_is_written_for_those_who_judge_networks_without_the_ledger(make_job: Any, ledger: Ledger) -> None:
    answer_gold(make_job, ledger)
    ledger.run("add_tombstone", video_id=f"{2:016x}", reason="takedown")
    clips = [clip_id(f"{index:016x}", 1.5) for index in range(CLIPS)]
    ledger.run("add_known_answer", clip_id=clips[3], category="high_jump", answer="no", purpose="gold", person="eve")
    job = make_job("certify", settings=LAX)
    cut(job.datasets, clips[:20])
    write(job.datasets, clips=10)
    certify.run(job)
    made = job.datasets.need(GOLD_JUDGES, labels=VERSION)
    found = {row.clip_id: row for row in job.datasets.rows_of(GOLD_JUDGES, made)}
    # The second is an example, which everybody sees; the video of the third was taken down.
    assert set(found) == {clip for index, clip in enumerate(clips[:20]) if index not in (1, 2)}
    assert {clip for clip, row in found.items() if row.label == -1} == {clips[3]}
    row = found[clips[5]]
    assert (row.window, row.split, row.proxy_128) == (WINDOW, "training", f"media/{clips[5]}/128.mp4")
    assert made.dropped == {"cut otherwise since": CLIPS - 20}
    assert len(made.made_from) == 1


def test_without_control_nothing_is_certified_and_the_stage_says_what_is_needed(
    make_job: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    job = make_job("certify")
    certify.run(job)
    assert "no labels were carried yet" in capsys.readouterr().err
    ledger.run("restore_category", category="high_jump")
    write(job.datasets, clips=0)
    certify.run(job)
    row = rows(job.datasets)["high_jump"]
    assert (row.threshold, row.bound, row.certified) == (None, None, 0)
    assert (
        "certify: model: 7 labels; nothing is certified; an unknown share may be wrong, want 5.0 %; at least "
        f"{row.answers_needed:,} answers more"
    ) in capsys.readouterr().err


def test_each_change_of_the_labels_is_a_look_of_its_own(make_job: Any, ledger: Ledger) -> None:
    answer_gold(make_job, ledger)
    job = make_job("certify", settings=LAX)
    write(job.datasets, clips=200)
    certify.run(job)
    assert rows(job.datasets)[None].rules == 1
    # Control clips come, and the labels stay: the same way of labelling.
    write(job.datasets, clips=300, version="000002")
    certify.run(make_job("certify", settings=LAX))
    assert rows(job.datasets, "000002")[None].rules == 1
    assert CERTIFICATES.address({"labels": VERSION}) in job.datasets.need(CERTIFICATES, labels="000002").made_from
    # Carried again: other confidences under the same version.
    write(job.datasets, clips=300, confidence=0.98, version="000002")
    certify.run(make_job("certify", settings=LAX))
    assert rows(job.datasets, "000002")[None].rules == 1, "stale certificates stand until they are asked for again"
    for rules in (2, 2):
        certify.run(make_job("certify", settings=LAX, remake=True))
        assert rows(job.datasets, "000002")[None].rules == rules
    write(job.datasets, clips=300, confidence=0.97, version="000003")
    certify.run(make_job("certify", settings=LAX))
    assert rows(job.datasets, "000003")[None].rules == 3


def test_a_withdrawn_video_is_no_gold(make_job: Any, ledger: Ledger) -> None:
    answer_gold(make_job, ledger)
    ledger.run("add_tombstone", video_id=f"{0:016x}", reason="takedown")
    job = make_job("certify", settings=LAX)
    write(job.datasets, clips=10)
    certify.run(job)
    row = rows(job.datasets)[None]
    assert (row.gold, row.gold_errors) == (CLIPS - 2, 5)


def kinds(ledger: Ledger) -> list[Kind]:
    return ledger.all(Kind, "label_kinds")


def test_pages_and_funnel_show_labels_a_minute_and_certificates(make_job: Any, ledger: Ledger) -> None:
    answer_gold(make_job, ledger)
    job = make_job("certify", settings=LAX)
    write(job.datasets, clips=200)
    certify.run(job)
    whole, one = kinds(ledger)
    assert [(row.category, row.name) for row in (whole, one)] == [(None, "All categories"), ("high_jump", "High jump")]
    for row in (whole, one):
        assert (row.label_count, row.certified, row.answers) == (7, 7, 4 * CLIPS)
        assert row.per_minute == pytest.approx(7 / (4 * CLIPS * 3.5 / 60))
    (facts,) = ledger.all(Facts, "funnel")
    lines = details(job.datasets, ledger, facts)["finished"]
    assert [line for line in lines if line.startswith("model: 7 labels, 0.5 a minute; at most")]
    shown: dict[str, Any] = {"person": "ada", "logout": True, "pages": [], "address": str}
    for name in ("funnel", "quality"):
        values = PAGES[name].values
        assert values is not None
        page = bytes(render(f"{name}.html", 200, page=name, **shown, **values(ledger, {})).body).decode()
        assert whole.certificate in page
        assert "<b>0.5</b> a minute" in page


def test_the_rule_of_hacs_is_counted_on_clips_drawn_by_lot(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes"})
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET votes_wanted = 3")
    lease(ledger, "bob")
    # Clips 2, 5, 8 and 11 are drawn by lot. One differs, one is unsure, one is corrected, and one has one answer.
    wrong = str(uuid.uuid4())
    assert cast(ledger, "bob", clips[0], "no")
    assert cast(ledger, "bob", clips[2], "no")
    assert cast(ledger, "bob", clips[5], "unsure")
    assert cast(ledger, "bob", clips[8], "no", vote_id=wrong)
    # The third answer of a clip says nothing of its first two, whenever the second one is corrected.
    lease(ledger, "cid")
    assert cast(ledger, "cid", clips[8], "no")
    assert cast(ledger, "bob", clips[8], "yes", supersedes=wrong)
    # Of this category no clip was drawn by lot.
    publish_and_answer(make_job, ledger, {"ann": "yes"}, category="polo", clips=1)
    sync.run(make_job("sync"))
    # What is given later belongs to later labels.
    assert cast(ledger, "bob", clips[11], "no")
    sync.run(make_job("sync"))
    job = make_job("certify")
    write(job.datasets, clips=0)
    certify.run(job)
    for row in kinds(ledger):
        assert (row.twice, row.differ) == (2, 1)
        of_polo = row.category is None
        assert row.answers == len(clips) + 5 + of_polo, "a correction is no answer more"
        assert row.seconds == 3.5 * (len(clips) + 6 + of_polo), "but it took its time"
    spent = {row["category"]: row["seconds"] for row in ledger.rows("costs")}
    assert spent["polo"] == 3.5, "time is counted where nothing can be compared"


def test_the_ledgers_copy_is_replaced_whole_and_put_back(make_job: Any, ledger: Ledger) -> None:
    answer_gold(make_job, ledger)
    ledger.run("restore_category", category="judo")
    job = make_job("certify", settings=LAX)
    write(job.datasets, clips=200)
    ledger.run(
        "add_label_kind", category="judo", kind="people", labels="000000", label_count=1, certified=0, threshold=None,
        bound=None, wanted=0.05, level=0.95, answers_needed=1, gold_needed=1,
    )  # fmt: skip
    certify.run(job)
    first = kinds(ledger)
    assert {row.category for row in first} == {None, "high_jump"}, "nothing older stays"
    # Killed before the ledger had it: the next call, and a repair, put it back.
    for put_back in (
        lambda: certify.run(make_job("certify", settings=LAX)),
        lambda: list(repair(job.datasets, ledger, Review())),
    ):
        ledger.run("clear_label_kinds")
        assert kinds(ledger) == []
        put_back()
        assert kinds(ledger) == first


def test_labels_are_counted_in_the_generation_that_was_certified(make_job: Any, ledger: Ledger) -> None:
    ledger.run("restore_category", category="high_jump")
    job = make_job("certify")
    write(job.datasets, clips=3)
    certify.run(job)
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}, "keys": {"labels": VERSION}}
    job.datasets.write(CARRIED, [], **made)
    certify.run(make_job("certify"))
    assert [row.label_count for row in kinds(ledger)] == [7, 7], "stale certificates speak of the labels before"


def test_certificates_are_shown(
    make_job: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    ledger.run("restore_category", category="high_jump")
    job = make_job("certify")
    write(job.datasets, clips=3)
    certify.run(job)
    monkeypatch.setenv("SLAC_STORE", job.config.store_url)
    capsys.readouterr()
    show.main(Namespace(dataset="certificates", keys=[f"labels={VERSION}"], named=[], rows=5, json=False))
    said = capsys.readouterr().out
    assert "answers_needed" in said
    assert "'kind': 'model'" in said
