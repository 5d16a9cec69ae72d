"""What leads decide: the stages read it, and each decision is a row that says who, when, what and why."""

import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from conftest import MakeJob
from review_work import TWICE, cast, lease, publish_and_answer

from slac_tasks.config import Config
from slac_tasks.errors import WrongArguments
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import check_labels, sync_verifications
from slac_tasks.quality.settings import Quality
from slac_tasks.release.releasable import releasable
from slac_tasks.stages import aggregate, sync, validate
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import rulings
from slac_tasks.verification.outcome import Settled, settle
from slac_tasks.verification.ruled import BY_A_LEAD
from slac_tasks.verification.settings import Review
from slac_tasks.verification.versions import newest_labels, read_labels


@pytest.fixture
def judged(ledger: Ledger) -> Ledger:
    """Two categories, both refused."""
    for category in ("judo", "polo"):
        ledger.run("register_category", category=category, name=category.title(), guideline=None)
        ledger.run(
            "add_verdict", labels="000001", category=category, verdict="refused", reasons=["agreement is 0.3"],
            failed=["agreement"], shortfalls=[0.4],
        )  # fmt: skip
    return ledger


def planner(ledger: Ledger, store: FolderStore, **fields: Any) -> Planner:
    return Planner(settings=Config(store_url=store.url), datasets=Datasets(store), ledger=ledger, **fields)


def listed(ledger: Ledger) -> dict[str, tuple[str, str]]:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT clip_id, verdict, kind FROM listed_clips JOIN clip_facets USING (facet)")
        return {clip: (verdict, kind) for clip, verdict, kind in cursor.fetchall()}


def state(ledger: Ledger, clip: str) -> tuple[str, bool]:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT state, again FROM queue WHERE clip_id = %s", (clip,))
        (found,) = cursor.fetchall()
        return found


def ruled(ledger: Ledger) -> list[tuple[Any, ...]]:
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT kind, category, clip_id, answer, annotator, reason, person FROM rulings ORDER BY ruling")
        return cursor.fetchall()


def test_a_retired_category_is_planned_asked_and_released_no_more(judged: Ledger, store: FolderStore) -> None:
    assert rulings.retire(judged, "judo", person="ada", reason="no source has it")
    assert planner(judged, store).categories == ["polo"]
    assert planner(judged, store, only=("judo", "polo")).categories == ["polo"], "named beside others it fails nobody"
    assert [item.category for item in check_labels(planner(judged, store))] == [("polo",)]
    assert [row["category"] for row in judged.rows("web_quality")] == ["polo"]
    rulings.decide(judged, "judo", labels="000001", decision="approve", person="ada", reason="fine")
    assert judged.rows("accepted_categories", labels="000001") == []
    assert rulings.restore(judged, "judo", person="ada", reason="found some")
    assert [row["category"] for row in judged.rows("accepted_categories", labels="000001")] == ["judo"]
    assert [(kind, reason) for kind, _, _, _, _, reason, _ in ruled(judged)] == [
        ("retire", "no source has it"),
        ("approve", "fine"),
        ("restore", "found some"),
    ]


def test_what_is_sent_twice_is_one_ruling(judged: Ledger) -> None:
    assert rulings.retire(judged, "judo", person="ada", reason="empty")
    assert not rulings.retire(judged, "judo", person="ada", reason="empty")
    for _ in range(2):
        rulings.decide(judged, "polo", labels="000001", decision="reject", person="ada", reason="blurred")
    assert [(kind, category) for kind, category, *_ in ruled(judged)] == [("retire", "judo"), ("reject", "polo")]


@pytest.mark.parametrize(("category", "reason"), [("yudo", "typo"), ("judo", " ")])
def test_without_a_category_or_a_reason_nothing_is_ruled(judged: Ledger, category: str, reason: str) -> None:
    with pytest.raises(WrongArguments):
        rulings.retire(judged, category, person="ada", reason=reason)
    assert ruled(judged) == []
    assert [row["retired_at"] for row in judged.rows("categories")] == [None, None]


def test_a_settled_clip_is_labelled_by_the_lead_and_asked_no_more_until_it_is_sent_back(
    ledger: Ledger, make_job: MakeJob, store: FolderStore
) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "no"}, category="judo", clips=3)
    first = clips[0]

    def labels() -> dict[str, tuple[Any, ...]]:
        sync.run(make_job("sync", settings={"review": TWICE}))
        aggregate.run(make_job("aggregate", settings={"review": TWICE}))
        datasets = Datasets(store)
        version = newest_labels(datasets)
        assert version is not None
        rows = read_labels(datasets, version, ["clip_id", "status", "label", "method"]).to_pylist()
        return {row["clip_id"]: (row["status"], row["label"], row["method"]) for row in rows}

    assert labels()[first][:2] == ("open", None)
    rulings.settle(ledger, "judo", first, answer="no", person="ada", reason="a bow, no throw")
    assert sync_verifications(planner(ledger, store)), "a ruling alone is work"
    assert labels()[first] == ("settled", -1, BY_A_LEAD)
    assert listed(ledger)[first] == ("no", "lead")
    assert state(ledger, first) == ("finished", False)
    assert labels()[first] == ("settled", -1, BY_A_LEAD), "without anything new there is no new version"
    rulings.send_back(ledger, "judo", first, person="grace", reason="look again")
    assert [state(ledger, clip) for clip in clips] == [("open", True), ("open", False), ("open", False)]
    seen = {"votes_wanted": 2, "state": "finished", "was_again": False, "again": False}
    settle(ledger, [Settled(clip_id=first, category="judo", **seen)])
    assert state(ledger, first) == ("open", True), "labels that were made before the lead spoke change nothing"
    assert first in [row["clip_id"] for row in lease(ledger, "cid", category="judo")]
    assert labels()[first][:2] == ("open", None)
    assert sum(row["clips"] for row in ledger.rows("clip_facets", category="judo")) == len(clips)
    (fresh,) = publish_and_answer(make_job, ledger, {}, category="polo", clips=1)
    with pytest.raises(WrongArguments, match="want one with answers"):
        rulings.settle(ledger, "polo", fresh, answer="no", person="ada", reason="nobody has seen it")
    with pytest.raises(WrongArguments, match="want one with answers"):
        rulings.send_back(ledger, "polo", fresh, person="ada", reason="nobody has seen it")


def test_a_lead_may_settle_what_nobody_could_decide_and_it_holds_up_no_category(
    ledger: Ledger, make_job: MakeJob, store: FolderStore
) -> None:
    lax = {
        "review": TWICE,
        "quality": Quality(min_labels=1, min_precision=0.0, min_agreement=0.0, max_positive_share=1.0),
    }
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"}, category="polo", clips=3)
    (unsure,) = publish_and_answer(make_job, ledger, {"ann": "unsure", "bob": "unsure"}, category="judo", clips=1)
    rulings.settle(ledger, "judo", unsure, answer="yes", person="ada", reason="a throw, half hidden")
    for stage, module in (("sync", sync), ("aggregate", aggregate), ("validate", validate)):
        module.run(make_job(stage, settings=lax))
    rows = releasable(Datasets(store), ledger, "000001").to_pylist()
    assert [(row["category"], row["label"], row["support"]) for row in rows if row["clip_id"] == unsure] == [
        ("judo", 1, 1),
        ("polo", 1, 2),
    ]


def test_answers_are_asked_again_as_often_as_somebody_is_found_to_click(ledger: Ledger, make_job: MakeJob) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"}, category="judo", clips=3)

    def count() -> None:
        sync.run(make_job("sync", settings={"review": TWICE}))
        aggregate.run(make_job("aggregate", settings={"review": TWICE}))

    count()
    today = datetime.now(UTC).date()
    by = {"person": "ada", "reason": "clicks"}
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE votes SET cast_at = cast_at - interval '1 day' WHERE clip_id = %s", clips[:1])
    yesterday = today - timedelta(days=1)
    assert [rulings.ask_person_again(ledger, "judo", "ann", day=day, **by) for day in (yesterday, yesterday)] == [1, 0]
    with pytest.raises(WrongArguments, match="answered no clip"):
        rulings.ask_person_again(ledger, "judo", "bob", day=yesterday, **by)
    for suspect, third, waiting in (("ann", "cid", 1), ("cid", "dan", 0)):
        again = rulings.ask_person_again(ledger, "judo", suspect, day=today, **by)
        assert again == len(clips) - waiting, "another day of the same person in the same words"
        assert state(ledger, clips[0]) == ("open", True)
        for clip in lease(ledger, third, category="judo"):
            assert cast(ledger, third, clip["clip_id"], "yes", "judo")
        count()
        assert {state(ledger, clip) for clip in clips} == {("finished", False)}
    assert [annotator for *_, annotator, _, _ in ruled(ledger)] == ["ann", "ann", "cid"]


def test_a_label_that_falls_as_it_is_asked_again_holds_up_no_round_and_is_asked_until_it_stands(
    ledger: Ledger, make_job: MakeJob
) -> None:
    once = {"review": Review(votes_wanted=1, votes_judging=1, audit_share=0.0)}
    (clip,) = publish_and_answer(make_job, ledger, {}, category="judo", clips=1)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET votes_wanted = 1, votes_first = 1, lead = 0")

    def answer(person: str, said: str) -> None:
        assert [row["clip_id"] for row in lease(ledger, person, category="judo")] == [clip]
        assert cast(ledger, person, clip, said, "judo")
        sync.run(make_job("sync", settings=once))
        aggregate.run(make_job("aggregate", settings=once))

    answer("ann", "yes")
    assert ledger.run("ask_again", clip_ids=[clip], categories=["judo"]) == 1
    assert ledger.rows("open_rounds") == [], "the label stands"
    answer("bob", "no")
    assert state(ledger, clip) == ("open", True)
    assert ledger.rows("open_rounds") == [], "a release would lose the whole round for one label"
    assert [row["unlabelled"] for row in ledger.rows("open_by_category")] == [0]
    answer("cid", "no")
    assert state(ledger, clip) == ("finished", False)
    for _ in range(2):
        rulings.send_back(ledger, "judo", clip, person="ada", reason="look again")
    answer("dan", "no")
    rulings.send_back(ledger, "judo", clip, person="ada", reason="look again")
    assert state(ledger, clip) == ("open", True), "it was answered since, so this is not the same word sent again"
    assert len(ruled(ledger)) == 2
    rulings.settle(ledger, "judo", clip, answer="yes", person="ada", reason="clear")
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET votes_wanted = 1")
    assert ledger.run("ask_again", clip_ids=[clip], categories=["judo"]) == 0, "a lead settled it"


def beside(url: str, other: Callable[[Ledger], object]) -> tuple[threading.Thread, list[object]]:
    """Begin to rule in another session, and give it the time that it needs where it waits for nobody."""
    found: list[object] = []

    def rule() -> None:
        with closing(Ledger(url)) as own:
            try:
                found.append(other(own))
            except WrongArguments as refusal:
                found.append(refusal)

    thread = threading.Thread(target=rule)
    thread.start()
    thread.join(0.5)
    return thread, found


@pytest.mark.parametrize(
    ("word", "want"),
    [
        (lambda ledger, clip: rulings.send_back(ledger, "high_jump", clip, person="ada", reason="odd"), None),
        (
            lambda ledger, clip: rulings.ask_person_again(
                ledger, "high_jump", "ann", day=datetime.now(UTC).date(), person="ada", reason="odd"
            ),
            0,
        ),
    ],
    ids=["return", "ask again"],
)
def test_what_a_lead_sends_twice_at_once_is_one_ruling(
    make_job: MakeJob, ledger: Ledger, ledger_url: str, word: Callable[[Ledger, str], object], want: object
) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes"})
    with ledger.transaction():
        word(ledger, clips[0])
        thread, found = beside(ledger_url, lambda own: word(own, clips[0]))
    thread.join()
    assert found == [want]
    assert len(ruled(ledger)) == 1


def test_of_two_rulings_on_a_clip_at_once_the_queue_goes_by_the_later_one(
    make_job: MakeJob, ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "no"})[0]
    back = partial(rulings.send_back, category="high_jump", clip_id=clip, person="eve", reason="look again")
    run, begun = ledger.run, []

    def meanwhile(*given: Any, **fields: Any) -> int:
        begun.append(beside(ledger_url, back)[0])
        return run(*given, **fields)

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "run", meanwhile)
        rulings.settle(ledger, "high_jump", clip, answer="yes", person="ada", reason="clear")
    begun[0].join()
    assert [kind for kind, *_ in ruled(ledger)] == ["settle", "return"]
    assert state(ledger, clip) == ("open", True)
