"""The plan of `pretrain` records each day what it decided, and people can read it."""

import argparse
from datetime import timedelta

import pytest
from platform_records import NOW, WEEKS, Platform, add_release

from slac_tasks.commands import show
from slac_tasks.planning import plans
from slac_tasks.planning.notes import notes
from slac_tasks.planning.plans import PLANS, drift
from slac_tasks.planning.retraining import Decision
from slac_tasks.storage.datasets import EXPECTATIONS, QUALITY, SCORES
from slac_tasks.storage.datasets.judging import ExpectationRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record, record
from slac_tasks.storage.tables import Datasets


def test_each_day_has_a_decision_with_its_reason(
    store: FolderStore,
    ledger: Ledger,
    ledger_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    platform = Platform(store=store, ledger=ledger)
    for days in (0, 1, 1):
        planner = platform.planner(now=NOW + timedelta(days=days))
        assert PLANS["pretrain"](planner) == []
    (line,) = notes(planner, "pretrain")
    assert line == f"{(NOW + timedelta(days=1)).date()}: wait: no labels were judged yet"
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    show.main(argparse.Namespace(dataset="retraining", keys=[], named=[], rows=5, json=False))
    assert capsys.readouterr().out.splitlines() == [line, f"{NOW.date()}: wait: no labels were judged yet"]


def test_a_day_on_which_a_release_was_begun_says_so_whatever_comes_later(ledger: Ledger) -> None:
    def decide(retrain: bool, reason: str, release: str | None = None) -> None:
        ledger.run(
            "add_retrain_decision", day=NOW.date(), retrain=retrain, release=release, reason=reason, new_labels=1,
            age_days=None, drift=None,
        )  # fmt: skip

    for given in ((False, "few"), (True, "enough", "r0002"), (False, "nothing new")):
        decide(*given)
    (row,) = ledger.rows("retrain_decisions", days=5)
    assert (row["retrain"], row["release"], row["reason"]) == (True, "r0002", "enough")


@pytest.mark.parametrize(
    ("names", "following"),
    [
        ([], "r0001"),
        (["r0001"], "r0002"),
        (["r0001", "r0003"], "r0004"),
        (["r0001", "r0003", "r0004", "r0005"], "r0006"),
        (["r0003", "r0002"], "r0004"),
        (["spring"], "r0002"),
        (["r0001", "r9999"], "r0003"),
        (["r1", "r00002", "r0004"], "r0005"),
    ],
)
def test_the_next_release_has_a_name_that_is_free_whatever_people_called_others(
    store: FolderStore, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, names: list[str], following: str
) -> None:
    for name in names:
        add_release(ledger, release=name)
        ledger.run("add_promotion", release=name, committee=None, reason="decided", rescore=[])
    due = Decision(retrain=True, reason="due")
    monkeypatch.setattr(plans, "decide", lambda *given, **more: due)
    monkeypatch.setattr(plans, "unreleased_labels", lambda *given: 1)
    platform = Platform(store=store, ledger=ledger)
    platform.record(QUALITY, labels="000001")
    (item,) = PLANS["pretrain"](platform.planner(at_once=True))
    assert item.release == following


def test_drift_is_the_median_of_the_newest_window_that_has_scores(store: FolderStore, ledger: Ledger) -> None:
    platform = Platform(store=store, ledger=ledger)
    assert drift(platform.planner()) is None
    for week, values in ((WEEKS[0], (0.9, 0.9)), (WEEKS[1], (0.1, None, 0.4, 0.2))):
        for number, value in enumerate(values):
            platform.record(SCORES, category="judo", window=week, weights=f"w{number}")
            row = ExpectationRow(
                name="score_drift", subject="", sentence="", severity="warning", value=value and value + 0.3, low=value,
                high=None,
                wanted_low=None, wanted_high=0.2, verdict="met", count=9, examples=(),
            )  # fmt: skip
            keys = {"judged": "scores", "partition": f"judo.{week}.w{number}"}
            made = Datasets(store).write(
                EXPECTATIONS, [EXPECTATIONS.table([row])], keys=keys, stage="inspect", settings={}, made_from={}
            )
            record(ledger, [Record.of(made)])
    assert drift(platform.planner()) == 0.2, "of each its lower end"
