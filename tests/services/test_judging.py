"""Categories are measured when something about them has changed, each by itself."""

from typing import Any

import pytest
from review_work import cast, lease, publish_and_answer

from slac_tasks.errors import BrokenContract, Temporary, WrongArguments
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import judge as categories_to_judge
from slac_tasks.planning.plans import unreleased_labels
from slac_tasks.quality import judging
from slac_tasks.quality.settings import Quality
from slac_tasks.reports.measures import Judged
from slac_tasks.stages import aggregate, approve, judge, release, report, sync, validate
from slac_tasks.storage.datasets import CONTROL, MEASURES, QUALITY, RELEASES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record, record

LAX = {"quality": Quality(min_labels=1, min_precision=0.0, max_positive_share=1.0)}
"""Twelve clips say too little of precision, and people say yes to all of them."""
SPORTS = ("judo", "polo")


@pytest.fixture
def work(make_job: Any, ledger: Ledger) -> "Work":
    return Work(make_job, ledger)


class Work:
    """Two categories, whose people answer."""

    def __init__(self, make_job: Any, ledger: Ledger) -> None:
        self.make_job, self.ledger = make_job, ledger
        for category in SPORTS:
            publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"}, category=category)
        self.count()

    def count(self) -> None:
        """Turn the votes into a version of the labels."""
        for stage, module in (("sync", sync), ("aggregate", aggregate)):
            module.run(self.make_job(stage, settings=LAX))

    def run(self, **job: Any) -> None:
        validate.run(self.make_job("validate", **{"settings": LAX, "follow": True, **job}))

    def change(self, category: str) -> None:
        """Ann takes back one answer."""
        with self.ledger._connection.cursor() as cursor:
            cursor.execute(
                "SELECT vote_id, clip_id FROM votes WHERE annotator = 'ann' AND category = %s AND supersedes IS NULL"
                " ORDER BY clip_id LIMIT 1",
                (category,),
            )
            ((vote, clip),) = cursor.fetchall()
        assert cast(self.ledger, "ann", clip, "no", category, supersedes=vote)
        self.count()

    @property
    def measured(self) -> set[tuple[str, str, int]]:
        """(category, version of the labels, generation) of every measured category."""
        shelf = self.make_job("validate").datasets
        return {
            (keys["category"], keys["labels"], shelf.need(MEASURES, **keys).generation)
            for keys in shelf.partitions(MEASURES)
        }

    def planned(self, plan: Any = categories_to_judge, **settings: Any) -> list[tuple[str, ...]]:
        job = self.make_job("plan", settings={**LAX, **settings})
        planner = Planner(settings=job.config, datasets=job.datasets, ledger=self.ledger, environ={})
        return [item.category for item in plan(planner)]

    def new_labels(self) -> int:
        job = self.make_job("plan", settings=LAX)
        planner = Planner(settings=job.config, datasets=job.datasets, ledger=self.ledger, environ={})
        judged = planner.newest_labels(QUALITY)
        assert judged is not None
        return unreleased_labels(planner, judged)

    def shown(self, category: str) -> dict[str, Judged]:
        rows = self.ledger.all(Judged, "web_measures", category=None)
        return {row.measure: row for row in rows if row.category == category and row.kind in (None, "people")}


def test_a_category_whose_labels_did_not_change_is_not_judged_again(work: Work) -> None:
    assert work.planned() == [SPORTS]
    work.run()
    first = {("judo", "000001", 1), ("polo", "000001", 1)}
    assert work.measured == first
    assert work.planned() == []
    work.change("judo")
    assert work.planned() == [("judo",)]
    work.run()
    assert work.measured == {*first, ("judo", "000002", 1)}
    # The verdict of both is on the newest version, and each trend has a point for each time that it was measured.
    verdicts = work.make_job("validate").datasets.rows(QUALITY, labels="000002")
    assert [(row.category, row.verdict) for row in verdicts] == [("judo", "accepted"), ("polo", "accepted")]
    assert (work.shown("judo")["settled"].trend, work.shown("polo")["settled"].trend) == ([12.0, 11.0], [12.0])
    assert {row["labels"] for row in work.ledger.rows("web_quality")} == {"000002"}


def test_a_whole_table_has_every_category_judged(work: Work) -> None:
    work.run()
    work.change("judo")
    aggregate.run(work.make_job("aggregate", settings=LAX, remake=True))
    assert work.planned() == [SPORTS]


def test_other_settings_gold_or_control_have_a_category_judged_again(work: Work) -> None:
    work.run()
    assert work.planned(quality=Quality(min_labels=2)) == [SPORTS]
    clip = "0000000000000003:1500"
    work.ledger.run("add_known_answer", category="polo", clip_id=clip, purpose="gold", answer="no", person="eve")
    assert work.planned() == [("polo",)]
    work.run()
    assert work.measured == {("judo", "000001", 1), ("polo", "000001", 2)}
    assert work.shown("polo")["gold"].value == 0.0
    verdict = work.ledger.one("verdict", labels="000001", category="polo")
    assert verdict is not None
    assert (verdict["verdict"], verdict["failed"]) == ("accepted", [])  # no floor
    control = work.make_job("carry").datasets.write(
        CONTROL, [CONTROL.from_records([])], keys={"labels": "000001"}, stage="test", settings={}, made_from={}
    )
    record(work.ledger, [Record.of(control)])
    assert work.planned() == [SPORTS]
    work.run()
    assert work.planned() == []


def test_gold_that_comes_while_categories_are_measured_takes_no_verdict_away(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = judging.measures

    def meanwhile(*of: Any) -> Any:
        clip = work.ledger.rows("asked_clips", category="judo", round="")[0]["clip_id"]
        gold = {"clip_id": clip, "category": "judo", "answer": "no", "purpose": "gold", "person": "eve"}
        assert work.ledger.rows("add_known_answer", **gold)
        return measures(*of)

    monkeypatch.setattr(judging, "measures", meanwhile)
    work.run()
    verdicts = work.make_job("validate").datasets.read(QUALITY, labels="000001")
    assert verdicts["category"].to_pylist() == list(SPORTS)


def test_of_two_who_judge_at_once_one_goes_on(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    measure, others = validate.measure, []

    def meanwhile(*given: Any) -> None:
        with pytest.raises(Temporary, match="verdicts: another process makes it now"):
            work.run()
        others.append(given)
        measure(*given)

    monkeypatch.setattr(validate, "measure", meanwhile)
    work.run()
    assert len(others) == 1
    assert {category for category, _, _ in work.measured} == set(SPORTS)


def test_a_floor_that_was_asked_for_has_its_category_alone_judged_again_by_it(work: Work) -> None:
    work.run()
    work.ledger.run(
        "plan_category",
        category="polo",
        first_window=None,
        last_window=None,
        videos_most=None,
        floor=0.9,
        newest="2026-01-05",
    )
    assert work.planned() == [("polo",)]
    work.run()
    assert work.measured == {("judo", "000001", 1), ("polo", "000001", 2)}
    datasets = work.make_job("validate").datasets
    least = {
        category: row.least
        for category in SPORTS
        for row in datasets.rows(MEASURES, labels="000001", category=category)
        if (row.measure, row.kind) == ("precision", "people")
    }
    assert least == {"judo": 0.0, "polo": 0.9}
    assert work.planned() == []


def test_judge_does_one_category_and_validate_the_rest(work: Work) -> None:
    judge.run(work.make_job("judge", settings=LAX, follow=True, categories=("judo",), labels="000001"))
    assert work.measured == {("judo", "000001", 1)}
    work.run()
    assert work.measured == {("judo", "000001", 1), ("polo", "000001", 1)}


def test_a_category_that_fails_holds_up_no_other_and_is_tried_again(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = judging.measures

    def broken(evidence: Any, *knobs: Any) -> Any:
        if evidence.category == "judo":
            raise BrokenContract("judo is odd")
        return sound(evidence, *knobs)

    with monkeypatch.context() as patched:
        patched.setattr(judging, "measures", broken)
        with pytest.raises(BrokenContract, match="judo is odd"):
            work.run()
    rows = {row["category"]: row["verdict"] for row in work.ledger.rows("web_quality")}
    assert rows == {"judo": None, "polo": "accepted"}
    assert work.planned() == [("judo",)]
    work.run()
    assert {row["verdict"] for row in work.ledger.rows("web_quality")} == {"accepted"}


def test_labels_are_new_where_they_were_accepted_and_the_release_lacks_them(work: Work) -> None:
    refusing = {"quality": Quality(min_labels=1, min_precision=0.0, max_positive_share=0.5)}
    work.run(settings=refusing)
    assert work.new_labels() == 0
    for category in SPORTS:
        approve.run(
            work.make_job(
                "approve", categories=(category,), labels="000001", decision="approve", reason="seen", person="eve"
            )
        )
    assert work.new_labels() > 0
    release.run(work.make_job("release", release="r0001", settings=refusing))
    assert work.make_job("release").datasets.need(RELEASES, release="r0001").rows == 24
    assert work.new_labels() == 0
    work.change("judo")
    for clip in lease(work.ledger, "cid", category="judo"):
        cast(work.ledger, "cid", clip["clip_id"], "no", "judo")
    work.count()
    work.run(settings=refusing)
    assert work.new_labels() > 0


FLOORED = {"quality": Quality(min_labels=1, min_precision=0.9, max_positive_share=1.0)}


def test_a_pending_category_is_not_asked_about_and_a_person_may_decide_on_it(work: Work) -> None:
    work.run(settings=FLOORED)
    row = work.shown("judo")["precision"]
    # The clips were chosen without an audit, and more answers to them say nothing.
    assert (row.value, row.state, row.needed) == (None, "unclear", None)
    assert work.ledger.rows("undecided") == []
    with pytest.raises(BrokenContract, match="nothing to release"):
        release.run(work.make_job("release", release="r0001"))
    decide = {"labels": "000001", "decision": "approve", "reason": "nobody is left to ask", "person": "eve"}
    approve.run(work.make_job("approve", categories=("judo",), **decide))
    standing = {row["category"]: row["standing"] for row in work.ledger.rows("web_quality")}
    assert standing == {"judo": "approved", "polo": "pending"}
    # More answers that say as little do not ask for the approval again; an accepted category takes none.
    work.change("judo")
    work.run(settings=FLOORED)
    standing = {row["category"]: row["standing"] for row in work.ledger.rows("web_quality")}
    assert standing == {"judo": "approved", "polo": "pending"}
    work.run(settings=LAX)
    with pytest.raises(WrongArguments, match="is accepted"):
        approve.run(work.make_job("approve", categories=("polo",), **{**decide, "labels": "000002"}))


def test_the_report_has_every_measure_as_a_csv(work: Work) -> None:
    work.run()
    report.run(work.make_job("report", settings=LAX))
    lines = work.make_job("report").store.get("reports/v1/labels=000001/measures.csv").decode().splitlines()
    assert lines[0].startswith("category,labels,measure,kind,value,low,high")
    assert len(lines) == 1 + 2 * 5
    assert "judo,000001,positive_share,,1.0," in "\n".join(lines)
