"""The queue, people's votes, batches, labels, verdicts and a release, on a real ledger."""

import contextlib
import csv
import io
import json
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest
from review_work import ROUND, cast, lease, prepare, publish_and_answer, states

from slac_tasks.errors import BrokenContract, NotMade, Temporary, WrongArguments
from slac_tasks.quality.settings import Quality
from slac_tasks.stages import aggregate, approve, publish, release, report, sync, validate
from slac_tasks.storage.datasets import (
    LABELS,
    QUALITY,
    RELEASES,
    VOTES,
)
from slac_tasks.storage.ledger import SQL, Ledger, migrations
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import read_labels


def test_publish_asks_each_clip_once_and_withdraws_what_nobody_was_asked(make_job: Any, ledger: Ledger) -> None:
    datasets = make_job("publish").datasets
    clips = prepare(ledger, datasets, clips=4)
    job = {"categories": ("high_jump",), "round": ROUND}
    publish.run(make_job("publish", **job))
    publish.run(make_job("publish", **job))
    assert states(ledger)["waiting"] == 4
    ledger.run("ensure_annotator", annotator="ann")
    cast(ledger, "ann", clips[0], "yes")
    newer = "2026-01-05.p0002"
    prepare(ledger, datasets, clips=2, round=newer)
    publish.run(make_job("publish", categories=("high_jump",), round=newer))
    # Both of the new round were open already; of the old round nothing is older than the first clip of the new one.
    assert states(ledger)["withdrawn"] == 0
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET state = 'withdrawn' WHERE clip_id = %s", (clips[1],))
    publish.run(make_job("publish", categories=("high_jump",), round=newer))
    assert ledger.one("queued_clips", category="high_jump", round=newer) == {"clips": 1, "waiting": 1}
    assert states(ledger)["withdrawn"] == 2
    publish.run(make_job("publish", **job))
    assert (states(ledger)["waiting"], states(ledger)["withdrawn"]) == (2, 2)


def test_a_clip_that_is_answered_while_a_newer_round_is_published_stays(
    make_job: Any, ledger: Ledger, ledger_url: str
) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=3)
    lease(ledger, "ann")
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s'")
        cursor.execute("UPDATE queue SET round = %s, queued_at = now() + interval '1 s' WHERE clip_id = %s",
                       ("2026-01-05.p0002", clips[0]))  # fmt: skip
    newer = {"category": "high_jump", "round": "2026-01-05.p0002"}
    thread = threading.Thread(target=ledger.run, args=("withdraw_unasked",), kwargs=newer)
    other = Ledger(ledger_url)
    other.run("ensure_annotator", annotator="bob")
    with other.transaction():
        assert cast(other, "bob", clips[1], "yes")
        thread.start()
        thread.join(0.5)
    thread.join()
    other.close()
    # Nobody holds the third clip in time.
    assert states(ledger) == {"queued": 3, "waiting": 2, "finished": 0, "withdrawn": 1, "votes": 1}


def test_publish_refuses_a_round_that_was_not_mined(make_job: Any, ledger: Ledger) -> None:
    with pytest.raises(NotMade, match="hard_clips"):
        publish.run(make_job("publish", categories=("high_jump",), round=ROUND))


def test_no_more_people_hold_a_clip_than_answers_are_wanted(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=3)
    assert len(lease(ledger, "ann")) == len(lease(ledger, "bob")) == 3
    assert lease(ledger, "cid") == []
    assert len(lease(ledger, "ann")) == 3  # what she holds comes again
    assert cast(ledger, "ann", clips[0], "yes")
    assert [row["clip_id"] for row in lease(ledger, "ann")] == clips[1:]
    assert lease(ledger, "cid") == []
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE leases SET expires_at = now() - interval '1 s' WHERE annotator = 'bob'")
        cursor.execute("INSERT INTO tombstones VALUES (%s, 'takedown')", (clips[1].split(":")[0],))
    assert [row["clip_id"] for row in lease(ledger, "cid")] == [clips[0], clips[2]]


def test_a_vote_is_stored_once_with_its_outbox_row(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=2)
    lease(ledger, "ann")
    vote = str(uuid.uuid4())
    assert cast(ledger, "ann", clips[0], "yes", vote_id=vote) == vote
    assert cast(ledger, "ann", clips[0], "yes", vote_id=vote) is None
    assert cast(ledger, "ann", clips[0], "no") is None  # one answer of a person to a clip
    ledger.run("ensure_annotator", annotator="bob")
    assert cast(ledger, "bob", clips[0], "no", supersedes=vote) is None  # not bob's to correct
    assert cast(ledger, "ann", clips[0], "no", supersedes=vote)
    assert ledger.one("outbox_size") == {"votes": 2}


def test_votes_become_labels_verdicts_and_a_release(make_job: Any, ledger: Ledger) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes"})
    people = lease(ledger, "bob")
    for index, clip in enumerate(people):
        cast(ledger, "bob", clip["clip_id"], "no" if index < 2 else "yes")
    sync.run(make_job("sync"))
    sync.run(make_job("sync"))
    datasets: Datasets = make_job("sync").datasets
    assert datasets.partitions(VOTES) == [{"batch": "000001"}]
    aggregate.run(make_job("aggregate"))
    aggregate.run(make_job("aggregate"))
    rows = read_labels(datasets, "000001").to_pylist()
    assert [row["status"] for row in rows].count("open") == 2
    assert states(ledger) == {"queued": 12, "waiting": 2, "finished": 10, "withdrawn": 0, "votes": 24}
    gate = Quality(min_labels=10, max_positive_share=1.0, min_precision=0.0)
    validate.run(make_job("validate", settings={"quality": gate}))
    with pytest.raises(BrokenContract, match="whole rounds"):
        release.run(make_job("release", release="r0001"))
    third = lease(ledger, "cid")
    assert len(third) == 2
    for clip in third:
        cast(ledger, "cid", clip["clip_id"], "no")
    sync.run(make_job("sync"))
    aggregate.run(make_job("aggregate"))
    validate.run(make_job("validate", settings={"quality": gate}))
    report.run(make_job("report", settings={"quality": gate}))
    page = make_job("report").store.get("reports/v1/labels=000002/index.html").decode()
    assert "High jump" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    release.run(make_job("release", release="r0001"))
    release.run(make_job("release", release="r0001"))
    assert ledger.one("last_release")["label_count"] == 12  # type: ignore[index]
    exports = f"{RELEASES.address({'release': 'r0001'})}/g0001/exports"
    store = make_job("release").store
    lines = store.get(f"{exports}/clips.csv").decode().splitlines()
    assert lines[0] == "classname,youtube_id,subset,start,end,label"
    assert lines[1] == "High jump,a2X2hz1G6i8,training,1.5,3.5,-1"
    assert len(list(csv.reader(io.StringIO("\n".join(lines))))) == 13
    activity = json.loads(store.get(f"{exports}/activitynet.json"))
    assert activity["database"]["0000000000000003"]["annotations"] == [{"label": "High jump", "segment": [1.5, 3.5]}]
    again = datasets.read(RELEASES, release="r0001")
    release.run(make_job("release", release="r0001", remake=True))
    assert datasets.read(RELEASES, release="r0001").equals(again)


def test_a_refused_category_is_released_when_a_person_approves(make_job: Any, ledger: Ledger) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"})
    for stage, module in (("sync", sync), ("aggregate", aggregate), ("validate", validate)):
        module.run(make_job(stage, settings={"quality": Quality(min_precision=0.0)}))
    verdict = make_job("validate").datasets.read(QUALITY, labels="000001").to_pylist()[0]
    assert verdict["verdict"] == "refused"
    assert verdict["reasons"] == ["positive share is 1.000 (0.735 to 1.000, 12 clips), want 0.05 to 0.98"]
    with pytest.raises(BrokenContract):
        release.run(make_job("release", release="r0001"))
    decide = {"labels": "000001", "categories": ("high_jump",), "person": "eve"}
    with pytest.raises(WrongArguments, match="not judged"):
        approve.run(make_job("approve", **{**decide, "labels": "000009"}, decision="approve", reason="fine"))
    approve.run(make_job("approve", **decide, decision="reject", reason="nobody looked"))
    with pytest.raises(BrokenContract):
        release.run(make_job("release", release="r0001"))
    approve.run(make_job("approve", **decide, decision="approve", reason="an easy action"))
    release.run(make_job("release", release="r0001"))
    assert make_job("release").datasets.need(RELEASES, release="r0001").rows == 12


def test_an_unfinished_batch_is_written_before_a_new_one(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=3)
    ledger.run("ensure_annotator", annotator="ann")
    cast(ledger, "ann", clips[0], "yes")
    assert ledger.one("take_batch", newest_stored=0) == {"batch": 1, "vote_count": 1}  # the process died here
    cast(ledger, "ann", clips[1], "no")
    sync.run(make_job("sync"))
    datasets: Datasets = make_job("sync").datasets
    held = {keys["batch"]: datasets.read(VOTES, **keys)["clip_id"].to_pylist() for keys in datasets.partitions(VOTES)}
    assert held == {"000001": [clips[0]], "000002": [clips[1]]}


@pytest.mark.parametrize("seed", range(12))
def test_every_vote_is_in_one_batch_under_writers_that_hold_transactions_open(
    make_job: Any, ledger: Ledger, ledger_url: str, seed: int
) -> None:
    import random

    clips = publish_and_answer(make_job, ledger, {}, clips=8)
    chance = random.Random(seed)
    people = [f"p{number}" for number in range(4)]
    for person in people:
        ledger.run("ensure_annotator", annotator=person)
    delays = {person: [chance.uniform(0, 0.02) for _ in clips] for person in people}
    failures: list[BaseException] = []

    def write(person: str) -> None:
        try:
            own = Ledger(ledger_url)
            for clip, delay in zip(clips, delays[person], strict=True):
                with own.transaction():
                    cast(own, person, clip, "yes")
                    threading.Event().wait(delay)
            own.close()
        except BaseException as failure:
            failures.append(failure)

    def collect() -> None:
        try:
            for _ in range(6):
                # Another call is writing a batch that this one found unfinished.
                with contextlib.suppress(Temporary):
                    sync.run(make_job("sync"))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(person,)) for person in people]
    threads += [threading.Thread(target=collect) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    sync.run(make_job("sync"))
    datasets: Datasets = make_job("sync").datasets
    found = [
        vote for keys in datasets.partitions(VOTES) for vote in datasets.read(VOTES, **keys)["vote_id"].to_pylist()
    ]
    assert len(found) == len(set(found)) == len(people) * len(clips)
    assert ledger.one("outbox_size") == {"votes": 0}


def test_a_damaged_table_stops_the_gate_with_nothing_written(make_job: Any, ledger: Ledger) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"})
    sync.run(make_job("sync"))
    aggregate.run(make_job("aggregate"))
    datasets: Datasets = make_job("validate").datasets
    rows = read_labels(datasets, "000001").to_pylist()
    rows[0]["end_sec"] = 9.0
    rows[1]["label"] = None
    datasets.write(
        LABELS, [LABELS.from_records(rows)], keys={"labels": "000001"}, stage="test", settings={}, made_from={}
    )
    with pytest.raises(BrokenContract, match=r"(?s)2 expectations.*length_of_a_clip.*settled_has_a_label"):
        validate.run(make_job("validate"))
    assert datasets.manifest(QUALITY, labels="000001") is None


def test_migrations_equal_the_schema(database_url: str, ledger: Ledger) -> None:
    blank = psycopg2.connect(database_url)
    blank.autocommit = True
    blank.cursor().execute((SQL / "schema.sql").read_text())
    assert _catalog(blank) == _catalog(ledger._connection)
    blank.close()


def _catalog(connection: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity
            FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL
            SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', NULL, ''
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            UNION ALL
            SELECT tablename, indexname, indexdef, '', NULL, '' FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL
            SELECT viewname, '', definition, '', NULL, '' FROM pg_views WHERE schemaname = 'public'
            UNION ALL
            SELECT proname, '', pg_get_functiondef(oid), '', NULL, '' FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace
            UNION ALL
            SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '', NULL, '' FROM pg_trigger
            WHERE NOT tgisinternal
            ORDER BY 1, 2, 3
        """)
        return list(cursor.fetchall())


def test_one_of_many_migrates(database_url: str) -> None:
    ledgers = [Ledger(database_url) for _ in range(6)]
    applied: list[list[int]] = []
    threads = [threading.Thread(target=lambda own=own: applied.append(own.migrate())) for own in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = [version for version, _ in migrations()]
    assert sorted(applied) == [[]] * 5 + [versions]
    for own in ledgers:
        own.close()


def test_times_are_utc(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {}, clips=1)
    ledger.run("ensure_annotator", annotator="ann")
    cast(ledger, "ann", clips[0], "broken")
    sync.run(make_job("sync"))
    (moment,) = make_job("sync").datasets.read(VOTES, batch="000001")["cast_at"].to_pylist()
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60
