"""What a person decided on refused labels, and how long it stands: questions, pages and the release say the same."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from review_work import cast, lease, publish_and_answer

from slac_tasks.errors import BrokenContract
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import check_labels
from slac_tasks.quality.settings import Quality
from slac_tasks.stages import aggregate, approve, release, report, sync, validate
from slac_tasks.storage.datasets import QUALITY, RELEASES
from slac_tasks.storage.ledger import Ledger, migrations

CATEGORIES = ("judo", "polo")
KINDS = ("agreement", "positive_share", "precision")
MARGIN = 0.05
"""A measure may move so far from what a person saw before the person is asked again; see sql/schema.sql."""

Failed = dict[str, float | None]
"""What a refusal names: how far each measure lies outside its range; None: unknown."""


@dataclass
class History:
    """What was judged and decided, as plain Python."""

    ledger: Ledger
    verdicts: list[dict[str, tuple[str, Failed]]] = field(default_factory=list)
    decisions: dict[tuple[str, int], tuple[int, str, Failed]] = field(default_factory=dict)
    moments: int = 0

    def judge(self, found: dict[str, tuple[str, Failed]], *, again: bool = False) -> None:
        if again and self.verdicts:
            self.verdicts[-1] = found
        else:
            self.verdicts.append(found)
        for category, (verdict, failed) in found.items():
            self.ledger.run(
                "add_verdict", labels=f"{len(self.verdicts):06d}", category=category, verdict=verdict,
                reasons=[f"{name} is {gap}" for name, gap in failed.items()], failed=list(failed),
                shortfalls=list(failed.values()),
            )  # fmt: skip

    def decide(self, category: str, labels: int, decision: str) -> None:
        labels = labels % len(self.verdicts) if self.verdicts else 0
        if not self.verdicts or self.verdicts[labels][category][0] == "accepted":
            return
        self.moments += 1
        failed = self.verdicts[labels][category][1]
        self.decisions[category, labels] = (self.moments, decision, failed)
        self.ledger.run(
            "add_decision", category=category, labels=f"{labels + 1:06d}", decision=decision, reason="because",
            person="eve", covers=list(failed), shortfalls=list(failed.values()),
        )  # fmt: skip

    def standing(self, category: str, labels: int) -> str:
        """What became of the category in this version: the rule of DECISIONS, written again."""
        verdict, failed = self.verdicts[labels][category]
        mine = [made for (whose, of), made in self.decisions.items() if whose == category and of <= labels]
        if verdict == "accepted" or not mine:
            return "undecided" if verdict == "refused" else verdict
        _, decision, seen = max(mine)
        stands = covers(seen, failed) and (decision == "approve" or covers(failed, seen))
        if not stands:
            return "undecided" if verdict == "refused" else verdict
        return {"approve": "approved", "reject": "rejected"}[decision]


def covers(seen: Failed, now: Failed) -> bool:
    def is_new(name: str) -> bool:
        if name not in seen:
            return True
        was, is_now = seen[name], now[name]
        if was is None or is_now is None:
            return was is not is_now
        return is_now > was + MARGIN

    return not any(is_new(name) for name in now)


gaps = st.sampled_from([None, 0.01, 0.04, 0.08, 0.3])
refusals = st.tuples(st.just("refused"), st.dictionaries(st.sampled_from(KINDS), gaps, min_size=1))
verdicts = st.one_of(
    refusals, refusals, st.just(("accepted", {})), st.just(("pending", {"settled": 3.0})),  # refusals matter most
    st.tuples(st.just("pending"), st.fixed_dictionaries({"precision": gaps})),
)  # fmt: skip
judgements = st.tuples(st.just("judge"), st.fixed_dictionaries(dict.fromkeys(CATEGORIES, verdicts)), st.booleans())
answers = st.tuples(
    st.just("decide"),
    st.sampled_from(CATEGORIES),
    st.integers(0, 3) | st.just(-1),
    st.sampled_from(("approve", "reject")),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(st.one_of(judgements, answers), min_size=1, max_size=9))
@example(
    history=[
        ("judge", dict.fromkeys(CATEGORIES, ("refused", {"positive_share": 0.01})), False),
        ("decide", "judo", 0, "approve"),
        ("judge", dict.fromkeys(CATEGORIES, ("refused", {"positive_share": 0.01, "agreement": 0.3})), False),
    ]
)
def test_pages_release_and_questions_agree_whatever_happened(ledger: Ledger, history: list[Any]) -> None:
    with ledger._connection.cursor() as cursor:
        cursor.execute("DELETE FROM decisions; DELETE FROM verdicts; DELETE FROM categories")
        cursor.executemany("INSERT INTO categories (category, name) VALUES (%s, %s)", [(c, c) for c in CATEGORIES])
    told = History(ledger)
    for act, *what in history:
        if act == "judge":
            told.judge(what[0], again=what[1])
        else:
            told.decide(*what)
    if not told.verdicts:
        return
    newest = len(told.verdicts) - 1
    labels = f"{newest + 1:06d}"
    want = {category: told.standing(category, newest) for category in CATEGORIES}

    page = {row["category"]: row for row in ledger.rows("web_quality")}
    assert {category: row["standing"] for category, row in page.items()} == want
    funnel = {row["category"]: row["standing"] for row in ledger.rows("web_funnel")}
    assert funnel == want
    released = [row["category"] for row in ledger.rows("accepted_categories", labels=labels)]
    assert released == [c for c in CATEGORIES if want[c] in ("accepted", "approved")]
    asked = ledger.rows("undecided")
    assert [row["category"] for row in asked] == [c for c in CATEGORIES if want[c] == "undecided"]
    assert {row["labels"] for row in asked} <= {labels}
    for category in CATEGORIES:
        assert bool(page[category]["stands"]) == (want[category] in ("approved", "rejected"))


def judged(make_job: Any, ledger: Ledger, **knobs: float) -> None:
    """Ann and bob say yes to everything; the gate refuses for the share of positives."""
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"})
    relabel(make_job, **knobs)


def relabel(make_job: Any, **knobs: float) -> None:
    """Judge the newest votes. Twelve clips say too little of precision, so nothing is demanded of it by default."""
    for stage, module in (("sync", sync), ("aggregate", aggregate)):
        module.run(make_job(stage))
    validate.run(make_job("validate", settings={"quality": Quality(**{"min_precision": 0.0, **knobs})}))


def decide(make_job: Any, decision: str, labels: str = "000001") -> None:
    job = make_job(
        "approve", categories=("high_jump",), labels=labels, decision=decision, reason="an easy action", person="eve"
    )
    approve.run(job)


def questions(make_job: Any, ledger: Ledger) -> list[dict[str, Any]]:
    job = make_job("plan")
    planner = Planner(settings=job.config, datasets=job.datasets, ledger=ledger, environ={})
    return [item.record() for item in check_labels(planner)]


def disagree(make_job: Any, ledger: Ledger, count: int) -> None:
    """Ann takes back her first answers, and cid settles those clips as bob answered them: labels 2 and 3."""
    with ledger._connection.cursor() as cursor:
        cursor.execute("SELECT vote_id, clip_id FROM votes WHERE annotator = 'ann' ORDER BY clip_id")
        for vote_id, clip in cursor.fetchall()[:count]:
            assert cast(ledger, "ann", clip, "no", supersedes=vote_id)
    for stage, module in (("sync", sync), ("aggregate", aggregate)):
        module.run(make_job(stage))
    clips = lease(ledger, "cid")
    assert len(clips) == count
    for clip in clips:
        cast(ledger, "cid", clip["clip_id"], "yes")
    relabel(make_job)


def test_an_approval_does_not_cover_a_reason_that_the_person_never_saw(make_job: Any, ledger: Ledger) -> None:
    judged(make_job, ledger)
    decide(make_job, "approve")
    assert questions(make_job, ledger) == []
    disagree(make_job, ledger, 6)
    (question,) = questions(make_job, ledger)
    assert question["labels"] == "000003"
    assert [reason.partition(" is ")[0] for reason in question["reasons"]] == ["agreement", "positive share"]
    with pytest.raises(BrokenContract, match="nothing to release"):
        release.run(make_job("release", release="r0001"))
    decide(make_job, "approve", "000003")
    assert questions(make_job, ledger) == []


def test_an_approval_stands_for_later_labels_with_the_same_reasons(make_job: Any, ledger: Ledger) -> None:
    judged(make_job, ledger)
    decide(make_job, "approve")
    disagree(make_job, ledger, 1)
    assert questions(make_job, ledger) == []
    (row,) = ledger.rows("web_quality")
    assert (row["labels"], row["verdict"], row["standing"]) == ("000003", "refused", "approved")
    assert (row["decision"], row["decided_labels"]) == ("approve", "000001")
    report.run(make_job("report"))
    page = make_job("report").store.get("reports/v1/labels=000003/index.html").decode()
    assert "<b>Approved</b> by eve on labels" in page
    assert "“an easy action”" in page
    release.run(make_job("release", release="r0001"))
    assert make_job("release").datasets.need(RELEASES, release="r0001").rows == 12


def test_silence_hides_nothing(make_job: Any, ledger: Ledger) -> None:
    judged(make_job, ledger)
    (question,) = questions(make_job, ledger)
    assert question["category"] == ["high_jump"]
    # Nobody answers: nothing is recorded, so the next run asks again.
    assert questions(make_job, ledger) == [question]


def test_a_verdict_names_its_reasons_and_how_far_each_is_outside(make_job: Any, ledger: Ledger) -> None:
    judged(make_job, ledger, min_agreement=1.0, max_positive_share=0.75)
    (row,) = make_job("validate").datasets.read(QUALITY, labels="000001").to_pylist()
    assert (row["failed"], row["shortfalls"]) == (["positive_share"], [0.25])
    stored = ledger.one("verdict", labels="000001", category="high_jump")
    assert stored is not None
    assert (stored["failed"], stored["shortfalls"]) == (["positive_share"], [0.25])


def test_what_was_decided_before_the_migration_covers_what_its_verdict_said(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Ledger(database_url)
    known = migrations()
    with monkeypatch.context() as older:
        older.setattr("slac_tasks.storage.ledger.migrations", lambda: [one for one in known if one[0] < 11])
        ours.migrate()
    with ours._connection.cursor() as cursor:
        cursor.executemany("INSERT INTO categories (category, name) VALUES (%s, %s)", [(c, c) for c in CATEGORIES])
        cursor.executemany(
            "INSERT INTO verdicts (labels, category, verdict, reasons) VALUES ('000001', %s, 'refused', %s)",
            [
                ("judo", ["agreement is unknown, want 0.75 to 1", "positive_share is 1.000, want 0.05 to 0.98"]),
                ("polo", ["unsettled_share is 0.400, want 0 to 0.3"]),
            ],
        )
        cursor.executemany(
            "INSERT INTO decisions (category, labels, decision, reason, person) VALUES (%s, '000001', %s, %s, %s)",
            [("judo", "approve", "seen", "eve"), ("polo", "reject", "nobody answered in time", "nobody")],
        )
    ours.migrate()
    (kept,) = (row for row in ours.rows("web_quality") if row["decision"])
    assert (kept["category"], kept["stands"]) == ("judo", True)
    verdict = ours.one("verdict", labels="000001", category="judo")
    assert verdict is not None
    assert verdict["failed"] == ["agreement", "positive_share"]
    assert verdict["shortfalls"] == [None, pytest.approx(0.02)]
    assert [row["category"] for row in ours.rows("undecided")] == ["polo"]
    ours.close()
